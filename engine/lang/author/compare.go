package author

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Answer is what a program said to one list of words of probe.help.
type Answer struct {
	Words []string
	Text  string
	Err   error
}

// Codes of what a comparison with a program finds.
const (
	CodeLacks   = "probe-lacks"   // the program has it not
	CodeMoved   = "probe-moved"   // it has it elsewhere
	CodeNew     = "probe-new"     // it has what the spec does not know
	CodeUnasked = "probe-unasked" // no help text was asked for
	CodeHelp    = "probe-help"    // a help text cannot be had
)

// Compare holds a CLI against the help texts of its program, of which this version is
// installed ("" if that is not known). An answer belongs to the list of words in
// probe.help of the same place.
func Compare(cli *catalog.CLI, version string, answers []Answer) []lang.Problem {
	cli = cli.At(version)
	c := comparison{cli: cli, texts: map[string]*Help{}, visited: map[string]bool{}, entered: map[string]bool{}, used: map[string]bool{}, reported: map[string]bool{}}
	c.name = strings.TrimSpace(cli.DisplayName() + " " + version)
	c.read(answers)
	for _, line := range cli.ArgvForms() {
		c.line(line)
	}
	for _, m := range c.missing {
		c.lacks(m)
	}
	for _, place := range slices.Sorted(maps.Keys(c.texts)) {
		c.news(place)
	}
	return c.found
}

// comparison goes along the command lines of a spec. A place in one is the subcommands
// before it, joined by spaces.
type comparison struct {
	cli      *catalog.CLI
	name     string           // of the program, with its version
	texts    map[string]*Help // by place; nil where it cannot be had
	visited  map[string]bool  // places at which options are used
	entered  map[string]bool  // places at which a subcommand is used
	used     map[string]bool  // options and subcommands, at any place
	missing  []*missing
	reported map[string]bool
	found    []lang.Problem
}

// missing is an option that is not at places where the spec writes it.
type missing struct {
	flag   string
	path   []string
	places []string
}

func (c *comparison) add(path []string, code, format string, args ...any) *lang.Problem {
	body := fmt.Sprintf(format, args...)
	key := strings.Join(path, "\x00") + "\x00" + body
	if c.reported[key] {
		return &lang.Problem{}
	}
	c.reported[key] = true
	c.found = append(c.found, lang.Problem{Path: path, Code: code, Text: body})
	return &c.found[len(c.found)-1]
}

// read sorts the help texts by the place that each is for. One that is that of the
// command before it does not tell of a subcommand: many programs answer so to any word.
func (c *comparison) read(answers []Answer) {
	byPlace := map[string]Answer{}
	for i, a := range answers {
		place := placeOf(a.Words)
		path := []string{"cli", c.cli.Name, "probe", "help", strconv.Itoa(i)}
		c.texts[place] = nil
		if a.Err != nil {
			c.add(path, CodeHelp, "%s does not list its options after %q: %v", c.name, strings.Join(a.Words, " "), a.Err)
			continue
		}
		byPlace[place] = a
		h := ParseHelp(a.Text)
		above, _, _ := cutLast(place)
		if upper, ok := byPlace[above]; ok && place != "" && strings.TrimSpace(upper.Text) == strings.TrimSpace(a.Text) {
			c.add(path, CodeLacks, "%s has no subcommand %q: its answer is the one without it", c.name, place)
			continue
		}
		if len(h.Options) == 0 {
			c.add(path, CodeHelp, "no options can be read in what %s says after %q", c.name, strings.Join(a.Words, " "))
			continue
		}
		c.texts[place] = &h
	}
}

// placeOf are the subcommands in the words that ask for help.
func placeOf(words []string) string {
	var place []string
	for _, word := range words {
		if !strings.HasPrefix(word, "-") {
			place = append(place, word)
		}
	}
	return strings.Join(place, " ")
}

func cutLast(place string) (above, last string, ok bool) {
	i := strings.LastIndexByte(place, ' ')
	if i < 0 {
		return "", place, false
	}
	return place[:i], place[i+1:], true
}

// line follows one command line: a subcommand changes the place of what comes behind it.
func (c *comparison) line(line []catalog.ArgvForm) {
	place := ""
	for _, phrase := range line {
		for i := 0; i < len(phrase); i++ {
			said := phrase[i]
			switch {
			case said.Text == "--":
				return
			case len(said.Text) > 1 && said.Text[0] == '-':
				var next *catalog.ArgvWord
				if i+1 < len(phrase) {
					next = &phrase[i+1]
				}
				if c.option(place, said, next) {
					i++
				}
			case said.Fixed && name.MatchString(said.Text):
				place = c.command(place, said)
			}
		}
	}
}

// option looks an option up. With took, the next word is its value.
func (c *comparison) option(place string, said catalog.ArgvWord, next *catalog.ArgvWord) (took bool) {
	flag, value, joined := strings.Cut(said.Text, "=")
	c.visited[place], c.used[flag] = true, true
	follows := !joined && !said.Valued && next != nil && !strings.HasPrefix(next.Text, "-")
	if c.hidden(flag) {
		return follows && !next.Fixed
	}
	h, asked := c.texts[place]
	switch {
	case h == nil && asked:
		return follows && !next.Fixed
	case h == nil:
		c.unasked(place)
		return follows && !next.Fixed
	}
	o := h.Option(flag)
	if o == nil && joinedShort(h, flag) {
		return false
	}
	if o == nil {
		c.miss(place, flag, said.Path)
		return follows && (!next.Fixed || h.Command(next.Text) == nil)
	}
	if joined {
		c.value(flag, o, catalog.ArgvWord{Text: value, Path: said.Path})
	}
	took = follows && o.Value != "" && !o.Optional
	if took && next.Text != "" {
		c.value(flag, o, *next)
	}
	c.values(flag, o, said)
	return took
}

// joinedShort reports whether a word is made of short options: several without a value,
// or one with its value behind it.
func joinedShort(h *Help, word string) bool {
	if len(word) < 3 || word[1] == '-' {
		return false
	}
	if first := h.Option(word[:2]); first != nil && first.Value != "" {
		return true
	}
	for _, letter := range word[1:] {
		if h.Option("-"+string(letter)) == nil {
			return false
		}
	}
	return true
}

// miss remembers an option that is not where the spec writes it.
func (c *comparison) miss(place, flag string, path []string) {
	i := slices.IndexFunc(c.missing, func(m *missing) bool { return m.flag == flag && slices.Equal(m.path, path) })
	if i < 0 {
		i = len(c.missing)
		c.missing = append(c.missing, &missing{flag: flag, path: path})
	}
	if m := c.missing[i]; !slices.Contains(m.places, place) {
		m.places = append(m.places, place)
	}
}

// lacks reports an option that is missing. One that has another name now is likely to
// be among those that the spec does not know.
func (c *comparison) lacks(m *missing) {
	typed := []string{}
	for _, place := range m.places {
		typed = append(typed, c.typed(place))
	}
	for _, other := range slices.Sorted(maps.Keys(c.texts)) {
		if h := c.texts[other]; h != nil && h.Option(m.flag) != nil {
			c.add(m.path, CodeMoved, "%s is not an option of %s, but of %s", m.flag, text.Or(typed), c.typed(other))
			return
		}
	}
	names := []string{}
	for _, o := range c.texts[m.places[0]].Options {
		if !slices.ContainsFunc(o.Names, func(n string) bool { return c.used[n] || c.ignored(n) }) {
			names = append(names, o.Names...)
		}
	}
	c.add(m.path, CodeLacks, "%s has no option %s: it is not in the help of %s", c.name, m.flag, strings.Join(typed, " and ")).Hint = meant(m.flag, names)
}

// typed is a place as a person would type it.
func (c *comparison) typed(place string) string {
	return strconv.Quote(strings.TrimSpace(c.cli.Bin + " " + place))
}

// unasked warns once that nothing is known about a place.
func (c *comparison) unasked(place string) {
	problem := c.add([]string{"cli", c.cli.Name, "probe"}, CodeUnasked, "no help is asked of %s, so its options are not compared", c.typed(place))
	words := "--help"
	if place != "" {
		words = strings.ReplaceAll(place, " ", `", "`) + `", "--help`
	}
	problem.Hint, problem.Warning, problem.Key = `add ["`+words+`"] to probe.help`, true, true
}

// value looks up a value that the spec writes itself.
func (c *comparison) value(flag string, o *HelpOption, said catalog.ArgvWord) {
	if o.Values == nil || o.Loose || strings.ContainsAny(said.Text, "{}") || slices.Contains(o.Values, said.Text) || c.hidden(flag+"="+said.Text) {
		return
	}
	c.add(said.Path, CodeLacks, "%s: %s does not take %q, but %s", c.name, flag, said.Text, text.OneOf(o.Values))
}

// values compares the values of an enum. Those of a help text that stand in prose count
// only if they seem to be the same list.
func (c *comparison) values(flag string, o *HelpOption, said catalog.ArgvWord) {
	if o.Values == nil || said.Takes == nil {
		return
	}
	known, common := []string{}, 0
	for _, v := range said.Takes {
		known = append(known, v.Text)
		if slices.Contains(o.Values, v.Text) {
			common++
		}
	}
	if o.Loose && common < 2 {
		return
	}
	for _, v := range said.Takes {
		strict := *o
		strict.Loose = false
		c.value(flag, &strict, v)
	}
	for _, value := range o.Values {
		if !slices.Contains(known, value) && !c.ignored(flag+"="+value) {
			problem := c.add(append(slices.Clone(said.Path[:len(said.Path)-1]), "enum"), CodeNew, "%s: %s takes %q too", c.name, flag, value)
			problem.Warning, problem.Hint = true, "add it, or name "+flag+"="+value+" in probe.ignore"
			problem.Key = true
		}
	}
}

// meant is the hint for a word that is not there, "" if none is near.
func meant(word string, among []string) string {
	near := text.Nearest(word, among)
	if near == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", near)
}

// command looks a word up that may be a subcommand, and gives the place behind it.
func (c *comparison) command(place string, said catalog.ArgvWord) string {
	below := strings.TrimSpace(place + " " + said.Text)
	h, asked := c.texts[place]
	_, askedBelow := c.texts[below]
	if h != nil {
		if known := h.Command(said.Text); known != nil {
			c.entered[place], c.used[said.Text] = true, true
			for _, alias := range known.Names {
				if other := strings.TrimSpace(place + " " + alias); c.texts[other] != nil {
					return other
				}
			}
			return below
		}
	}
	switch {
	case askedBelow && c.texts[below] != nil, h == nil && !asked, c.hidden(said.Text):
		c.entered[place], c.used[said.Text] = true, true
		return below
	case h == nil || len(h.Commands) == 0:
		return place // an argument, or nobody knows
	}
	c.entered[place], c.used[said.Text] = true, true
	names := []string{}
	for _, k := range h.Commands {
		names = append(names, k.Names...)
	}
	c.add(said.Path, CodeLacks, "%s has no subcommand %q%s", c.name, said.Text, behind(place)).Hint = meant(said.Text, names)
	if !askedBelow {
		c.texts[below] = nil // one complaint is enough
	}
	return below
}

func behind(place string) string {
	if place == "" {
		return ""
	}
	return fmt.Sprintf(" after %q", place)
}

// news reports what a help text lists and the spec does not know.
func (c *comparison) news(place string) {
	h := c.texts[place]
	if h == nil {
		return
	}
	report := func(names []string, what, doc string) {
		if slices.ContainsFunc(names, func(n string) bool { return c.used[n] || c.ignored(n) || c.hidden(n) }) || asksHelp(names) {
			return
		}
		for _, n := range names {
			c.used[n] = true // not again for another place
		}
		if doc != "" {
			doc = ": " + text.Clip(doc)
		}
		problem := c.add([]string{"cli", c.cli.Name, "probe"}, CodeNew, "%s has %s%s, which the spec does not know%s", c.name, what, behind(place), doc)
		problem.Warning, problem.Key, problem.Hint = true, true, "name it in probe.ignore"
		if strings.HasPrefix(what, "-") {
			problem.Hint = "give it a parameter, or name it in probe.ignore"
		}
	}
	for _, o := range h.Options {
		if c.visited[place] {
			report(o.Names, cmp.Or(longest(o.Names), o.Names[0]), o.Doc)
		}
	}
	for _, k := range h.Commands {
		if c.entered[place] {
			report(k.Names, fmt.Sprintf("the subcommand %q", k.Names[0]), k.Doc)
		}
	}
}

// longest is the first long name of an option.
func longest(names []string) string {
	i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, "--") })
	if i < 0 {
		return ""
	}
	return names[i]
}

// asksHelp reports whether an option or a subcommand is the one for help, which every
// program has.
func asksHelp(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return n == "--help" || n == "help" })
}

func (c *comparison) ignored(text string) bool { return matchesAny(c.cli.CLISpec.Probe.Ignore, text) }
func (c *comparison) hidden(text string) bool  { return matchesAny(c.cli.CLISpec.Probe.Hidden, text) }

// matchesAny knows patterns in which * stands for any text.
func matchesAny(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if !strings.Contains(p, "*") {
			return p == text
		}
		re := "^" + strings.ReplaceAll(regexp.QuoteMeta(p), `\*`, ".*") + "$"
		ok, _ := regexp.MatchString(re, text)
		return ok
	})
}
