package optimize

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Saving is what was saved of a text, in characters.
type Saving struct {
	Before int    `json:"before"`
	After  int    `json:"after"`
	Note   string `json:"note,omitempty"` // why the text was left as it is
}

// Savings are what was saved in a call that asked for it.
type Savings struct {
	Prompt   *Saving `json:"prompt,omitempty"`
	Response *Saving `json:"response,omitempty"`
}

// Notes say why a text was left as it is.
func (s *Savings) Notes() (notes []string) {
	if s == nil {
		return nil
	}
	if s.Prompt != nil && s.Prompt.Note != "" {
		notes = append(notes, "optimizing the prompt: "+s.Prompt.Note)
	}
	if s.Response != nil && s.Response.Note != "" {
		notes = append(notes, "optimizing the answer: "+s.Response.Note)
	}
	return notes
}

const (
	// maxPasses is how often all rules are applied. Ordinary texts do not change after two or
	// three passes.
	maxPasses = 6
	// maxOptimized is the longest text that is looked at, in bytes: at worst a second of
	// work.
	maxOptimized = 400 << 10
	// placeholder stands for a passage that is kept while rules are applied. It is no
	// character, so no text has it by right; where one has, that is kept as well.
	placeholder = "\ufdd0"
)

// Apply returns the text without what can be left out. It is never longer than the text,
// nor empty, and to apply it again changes nothing: a text that would still change is returned
// as it is.
func (o *Optimizer) Apply(text string) string {
	if len(text) > maxOptimized {
		return text
	}
	now := text
	for range maxPasses {
		next := o.pass(now)
		switch {
		case strings.TrimSpace(next) == "":
			return text
		case utf8.RuneCountInString(next) >= utf8.RuneCountInString(now):
			return now
		}
		now = next
	}
	return text
}

// Save is Apply, and counts what was saved.
func (o *Optimizer) Save(body string) (string, Saving) {
	short := o.Apply(body)
	saved := Saving{Before: utf8.RuneCountInString(body), After: utf8.RuneCountInString(short)}
	if len(body) > maxOptimized {
		saved.Note = fmt.Sprintf("it was left as it is: it has more than %s bytes", text.Number(maxOptimized))
	}
	return short, saved
}

// pass applies every rule once.
func (o *Optimizer) pass(text string) string {
	masked, kept := mask(text, o.keptPassages(text))
	for _, r := range o.rules {
		masked = r.apply(masked)
	}
	return unmask(masked, kept)
}

// apply replaces what the rule matches. A match that holds a passage which is kept stays
// as it is.
func (r rewrite) apply(text string) string {
	re := r.match()
	if !re.possible(text) {
		return text
	}
	var out []byte
	at := 0
	for _, m := range re.FindAllStringSubmatchIndex(text, -1) {
		if m[0] == m[1] || strings.Contains(text[m[0]:m[1]], placeholder) {
			continue
		}
		out = append(out, text[at:m[0]]...)
		out = re.ExpandString(out, r.replace, text, m)
		at = m[1]
	}
	if at == 0 {
		return text
	}
	return string(append(out, text[at:]...))
}

// passage is a part of a text, from a byte on and up to another.
type passage struct{ from, to int }

// keptPassages are the passages that no rule touches, in their order and apart from each other.
func (o *Optimizer) keptPassages(text string) []passage {
	all := codePassages(text)
	for i := 0; ; {
		next := strings.Index(text[i:], placeholder)
		if next < 0 {
			break
		}
		all = append(all, passage{i + next, i + next + len(placeholder)})
		i += next + len(placeholder)
	}
	for _, keep := range o.keep {
		re := keep()
		if !re.possible(text) {
			continue
		}
		for _, m := range re.FindAllStringIndex(text, -1) {
			all = append(all, passage{m[0], m[1]})
		}
	}
	return mergePassages(all)
}

// mask puts the mark in the place of each passage.
func mask(text string, passages []passage) (masked string, kept []string) {
	if len(passages) == 0 {
		return text, nil
	}
	var b strings.Builder
	at := 0
	for _, p := range passages {
		b.WriteString(text[at:p.from])
		b.WriteString(placeholder)
		kept = append(kept, text[p.from:p.to])
		at = p.to
	}
	b.WriteString(text[at:])
	return b.String(), kept
}

// unmask puts the passages back.
func unmask(masked string, kept []string) string {
	if len(kept) == 0 {
		return masked
	}
	var b strings.Builder
	for i, part := range strings.Split(masked, placeholder) {
		if i > 0 {
			b.WriteString(kept[i-1])
		}
		b.WriteString(part)
	}
	return b.String()
}

// fence begins or ends a block of code: in a list or a quotation, too.
var fence = regexp.MustCompile("^[ \t>]*(?:[-*+][ \t]+|[0-9]+[.)][ \t]+)?(`{3,}|~{3,})(.*)$")

// codePassages are the passages of a Markdown text that are code: between fences, or up to the
// end where a fence is not closed, and between backticks.
func codePassages(text string) (found []passage) {
	open, from, at, plain := "", 0, 0, 0
	for at < len(text) {
		end := len(text)
		if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		m := fence.FindStringSubmatch(strings.TrimRight(text[at:end], "\r\n"))
		switch {
		case m == nil:
		case open == "" && !(m[1][0] == '`' && strings.Contains(m[2], "`")):
			found = append(found, codeSpans(text, plain, at)...)
			open, from = m[1], at
		case open != "" && strings.HasPrefix(m[1], open) && strings.TrimSpace(m[2]) == "":
			found = append(found, passage{from, end})
			open, plain = "", end
		}
		at = end
	}
	if open != "" {
		return append(found, passage{from, len(text)})
	}
	return append(found, codeSpans(text, plain, len(text))...)
}

// codeSpans are the passages between two runs of as many backticks, in a part of a text.
func codeSpans(text string, from, to int) (found []passage) {
	var runs []passage
	places := map[int][]int{} // of runs, by their lengths
	for i := from; i < to; i++ {
		if text[i] != '`' {
			continue
		}
		run := passage{i, i + 1}
		for run.to < to && text[run.to] == '`' {
			run.to++
		}
		places[run.to-run.from] = append(places[run.to-run.from], len(runs))
		runs = append(runs, run)
		i = run.to
	}
	for i := 0; i < len(runs); i++ {
		same := places[runs[i].to-runs[i].from]
		for len(same) > 0 && same[0] <= i {
			same = same[1:]
		}
		places[runs[i].to-runs[i].from] = same
		if len(same) > 0 {
			found = append(found, passage{runs[i].from, runs[same[0]].to})
			i = same[0]
		}
	}
	return found
}

// mergePassages are the passages in their order, with those that overlap made one.
func mergePassages(all []passage) (apart []passage) {
	slices.SortFunc(all, func(a, b passage) int { return cmp.Compare(a.from, b.from) })
	for _, p := range all {
		if last := len(apart) - 1; last >= 0 && p.from <= apart[last].to {
			apart[last].to = max(apart[last].to, p.to)
		} else if p.to > p.from {
			apart = append(apart, p)
		}
	}
	return apart
}
