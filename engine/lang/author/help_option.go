package author

import (
	"regexp"
	"slices"
	"strings"
)

// optionName is an option as it is typed; --[no-]x stands for two.
var optionName = regexp.MustCompile(`^(--\[no-\][A-Za-z0-9][A-Za-z0-9_.-]*|--[A-Za-z0-9][A-Za-z0-9_.-]*|-[A-Za-z0-9?@#][A-Za-z0-9_-]*)`)

// optionLine reads "-m, --model <NAME>  What it is". ok is false for prose, even if it
// begins with an option.
func optionLine(body string) (o HelpOption, doc string, ok bool) {
	rest := body
	for {
		found := optionName.FindString(rest)
		if found == "" {
			return o, "", false
		}
		rest = rest[len(found):]
		if plain := strings.Replace(found, "[no-]", "", 1); plain != found {
			o.Names = append(o.Names, plain, strings.Replace(found, "[no-]", "no-", 1))
		} else {
			o.Names = append(o.Names, found)
		}
		value, after, good := optionValue(rest)
		if !good {
			return o, "", false
		}
		o.valued(value)
		rest = after
		next := strings.TrimLeft(rest, " ")
		separated := strings.HasPrefix(next, ",") || strings.HasPrefix(next, "|") || strings.HasPrefix(next, "/")
		switch {
		case separated && len(o.Names) < 20:
			rest = strings.TrimLeft(next[1:], " ")
		case rest == "" || strings.HasPrefix(rest, "  "):
			return o, next, true
		case strings.HasPrefix(rest, " -") && optionName.MatchString(next) && len(o.Names) < 20:
			rest = next // "-m --model"
		default:
			return o, "", false
		}
	}
}

// bareValue is the placeholder of a value without brackets: NAME, or a type.
var bareValue = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_:|/.=-]*(\.\.\.)?`)

// optionValue reads the placeholder of the value, behind the name of an option: up to a
// comma, a gap or the end.
func optionValue(text string) (value, rest string, ok bool) {
	rest = text
	for words := 0; ; words++ {
		joined := strings.HasPrefix(rest, "=") || strings.HasPrefix(rest, "[=") || words == 0 && strings.HasPrefix(rest, "[")
		spaced := strings.HasPrefix(rest, " ") && !strings.HasPrefix(rest, "  ") && !strings.HasPrefix(rest, " -") && !strings.HasPrefix(rest, " |")
		if !joined && !spaced {
			return value, rest, true
		}
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, " "), "=")
		word := bracketed(rest)
		if word == "" {
			word = bareValue.FindString(rest)
			// Two bare words are prose, unless they are capitals.
			if word == "" || words > 0 && (words > 3 || word != strings.ToUpper(word)) {
				return "", "", false
			}
		}
		rest = rest[len(word):]
		for _, more := range []string{"...", "…"} {
			if cut, found := strings.CutPrefix(rest, more); found {
				word, rest = word+more, cut
			}
		}
		value = strings.TrimSpace(value + " " + word)
	}
}

// bracketed is the text in brackets at the beginning of s, "" if it begins with none.
func bracketed(s string) string {
	const opening, closing = "<[{(\"", ">]})\""
	if s == "" || !strings.ContainsRune(opening, rune(s[0])) {
		return ""
	}
	shut := closing[strings.IndexByte(opening, s[0])]
	depth := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == shut && (depth == 1 || shut == '"' && i > 0):
			return s[:i+1]
		case s[i] == shut && shut != '"':
			depth--
		case s[i] == s[0]:
			depth++
		}
	}
	return ""
}

// valued reads the placeholder of the value of the option.
func (o *HelpOption) valued(value string) {
	if value == "" {
		return
	}
	o.Optional = strings.HasPrefix(value, "[")
	o.List = o.List || strings.Contains(value, "...") || strings.Contains(value, "…")
	o.Value = value
	if strings.HasPrefix(value, "{") {
		o.Values = split(strings.Trim(value, "{}"))
	}
}

var (
	choices   = regexp.MustCompile(`(?i)[\[(](?:possible values|choices|allowed values|one of|values):? ([^\])]*)`)
	choiceEnd = regexp.MustCompile(`(?i),? *(?:default|preset|env|aliases)[:=].*$`)
	listItem  = regexp.MustCompile(`^[-*] ([^\s:]+)(?::|$)`)
	presets   = regexp.MustCompile(`(?i)[\[(,] *default:? "?([^"\]),[]*)`)
	aliases   = regexp.MustCompile(`(?i)[\[(](?:[a-z]+ )?alias(?:es)?: ([^\])]*)[\])]`)
	oneOf     = regexp.MustCompile(`(?i)\bone of:? ([A-Za-z0-9_"'-]+(?:(?:, (?:or )?|\|| or )[A-Za-z0-9_"'-]+)+)`)
	typed     = regexp.MustCompile(`\[(string|number|array|count)\]`)
	prose     = regexp.MustCompile(`\(([A-Za-z0-9_-]+(?:(?:, (?:or )?| \| |\|)[A-Za-z0-9_-]+){2,})\)`)
	repeats   = regexp.MustCompile(`(?i)can be (?:used|given|specified|repeated|passed) multiple times|\brepeatable\b|may be repeated`)
)

// annotations reads what the description says in the manner of its library.
func (o *HelpOption) annotations(lines []string) {
	if m := typed.FindStringSubmatch(o.Doc); m != nil && o.Value == "" && m[1] != "count" {
		o.Value, o.List = "["+m[1]+"]", m[1] == "array"
	}
	for _, m := range aliases.FindAllStringSubmatch(o.Doc, -1) {
		for _, word := range split(m[1]) {
			if optionName.FindString(word) == word && !slices.Contains(o.Names, word) {
				o.Names = append(o.Names, word)
			}
		}
	}
	o.List = o.List || repeats.MatchString(o.Doc)
	if m := presets.FindStringSubmatch(o.Doc); m != nil {
		o.Default = strings.TrimSpace(m[1])
	}
	if m := choices.FindStringSubmatch(o.Doc); m != nil {
		o.Values = split(choiceEnd.ReplaceAllString(m[1], ""))
	}
	if o.Values == nil {
		o.Values = itemised(lines)
	}
	for _, hint := range []*regexp.Regexp{oneOf, prose} {
		if m := hint.FindStringSubmatch(o.Doc); m != nil && o.Values == nil && o.Value != "" {
			o.Values, o.Loose = split(strings.ReplaceAll(m[1], " or ", ", ")), true
		}
	}
}

// itemised are the values that a description gives a line each.
func itemised(lines []string) (values []string) {
	inside := false
	for _, line := range lines {
		m := listItem.FindStringSubmatch(line)
		switch {
		case strings.EqualFold(line, "possible values:"):
			inside = true
		case inside && m != nil:
			values = append(values, m[1])
		case inside && line == "" && values != nil:
			return values
		}
	}
	return values
}

// split takes a list in prose apart: `"a", "b" or c`, "a|b".
func split(text string) (items []string) {
	for _, item := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '|' }) {
		item = strings.TrimSpace(item)
		item = strings.Trim(strings.TrimPrefix(strings.TrimPrefix(item, "or "), "and "), "\"'` ")
		if item != "" && !slices.Contains(items, item) {
			items = append(items, item)
		}
	}
	return items
}

var bracketedOption = regexp.MustCompile(`\[ *(-[^\]\[]+?) *\]`)

// usageOptions takes options from the usage lines, for programs that list them nowhere
// else: [--json] [--model NAME].
func (p *helpParser) usageOptions() {
	for _, line := range p.usages {
		for _, m := range bracketedOption.FindAllStringSubmatchIndex(line, -1) {
			for _, part := range strings.Split(line[m[2]:m[3]], " | ") {
				o, _, ok := optionLine(part)
				if ok && p.help.Option(o.Names[0]) == nil && len(p.help.Options) < maxEntries {
					o.List = o.List || strings.HasPrefix(line[m[1]:], "...")
					p.help.Options = append(p.help.Options, o)
				}
			}
		}
	}
}
