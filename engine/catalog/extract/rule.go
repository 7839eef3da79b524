package extract

import (
	"regexp"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// rule finds a text in records, or in lines that are none.
type rule struct {
	when, take *Expression    // of records; without either there is none
	line       *regexp.Regexp // of lines; nil: the rule is for records
}

// warning is a rule for what the caller should know beside the answer.
type warning struct {
	rule
	kind string // "denied": its texts are names of tools; "key": of variables
}

// watchRule is a rule for a run that will give no answer.
type watchRule struct {
	rule
	lang.WatchSpec
}

// rule compiles a rule; false if there is none.
func (c compiler) rule(when, take, line, format string, ps lang.Problems) (r rule, ok bool) {
	switch {
	case line != "" && when+take != "":
		ps.Add("shape", "line cannot be combined with when and take").Hint = "split it into two rules"
		return r, false
	case line != "":
		re, err := regexp.Compile(line)
		if err != nil {
			ps.At("line").Add("regexp", "%s", strings.TrimPrefix(err.Error(), "regexp: "))
			return r, false
		}
		return rule{line: re}, true
	case when+take == "":
		ps.Add("shape", "the rule has no effect").Hint = "give it when, take or line"
		return r, false
	case format == "text":
		ps.Add("shape", `format "text" has no records`).Hint = `use line, or set output.format to "json" or "jsonl"`
		return r, false
	}
	return rule{when: c.condition(when, recordScope, ps.At("when")), take: c.value(take, recordScope, ps.At("take"))}, true
}

func (c compiler) warnings(specs []lang.WarningSpec, format string, ps lang.Problems) {
	for i, spec := range specs {
		at := ps.At(i)
		if r, ok := c.rule(spec.When, spec.Take, spec.Line, format, at); ok {
			if r.line == nil && spec.Take == "" {
				at.Add("take", "the rule has no text").Hint = "give it take"
			}
			c.out.warnings = append(c.out.warnings, &warning{r, spec.Kind})
		}
	}
}

func (c compiler) watch(specs []lang.WatchSpec, format string, ps lang.Problems) {
	for i, spec := range specs {
		at := ps.At(i)
		if r, ok := c.rule(spec.When, spec.Take, spec.Line, format, at); ok {
			if r.line == nil && format == "json" {
				at.Add("shape", `format "json" has no records while the CLI runs`).Hint = `use line, or set output.format to "jsonl"`
			}
			c.out.watch = append(c.out.watch, &watchRule{r, spec})
		}
	}
}

// ofRecord reports whether the rule is for a record, and which texts it finds there.
func (r rule) ofRecord(env map[string]any) (texts []string, ok bool) {
	if r.line != nil || !r.when.Holds(env) {
		return nil, false
	}
	if r.take == nil {
		return nil, true
	}
	v, err := r.take.eval(env)
	if err != nil {
		return nil, false
	}
	items, list := v.([]any)
	if !list {
		items = []any{v}
	}
	for _, item := range items {
		if said := asText(item); item != nil && said != "" {
			texts = append(texts, said)
		}
	}
	return texts, len(texts) > 0
}

// ofLine is what the rule finds in a line that is no record.
func (r rule) ofLine(line string) (found string, ok bool) {
	if r.line == nil {
		return "", false
	}
	groups := r.line.FindStringSubmatch(line)
	if groups == nil {
		return "", false
	}
	return groups[min(1, len(groups)-1)], true
}

// shownLines are the lines of a text as a terminal shows them, each without white space
// around it.
func shownLines(s string) []string {
	lines := strings.Split(text.Screen(s), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return lines
}
