// Package argvalue reads single arguments of a call: as the type that they must have, held
// against bounds.
//
// A violation completes a sentence that begins with the name of the parameter; "" means none.
// The package hides what else is understood than the declared type. It must not know what a
// parameter is, nor how its value reaches a command line.
package argvalue

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Number is an argument as an int, if only a whole one will do, or as a float64. It must lie
// between min and max, where they are given.
func Number(arg any, whole bool, min, max *float64) (v any, violation string) {
	f, ok := arg.(float64)
	switch n := arg.(type) {
	case int:
		f, ok = float64(n), true
	case int64:
		f, ok = float64(n), true
	case json.Number:
		var err error
		f, err = n.Float64()
		ok = err == nil
	}
	switch {
	case !ok && whole:
		return nil, "must be an integer, not " + text.Kind(arg)
	case !ok || math.IsInf(f, 0) || math.IsNaN(f):
		return nil, "must be a number, not " + text.Kind(arg)
	case whole && (f != math.Trunc(f) || math.Abs(f) > 1<<53):
		return nil, fmt.Sprintf("must be an integer, not %v", f)
	case min != nil && f < *min || max != nil && f > *max:
		return nil, fmt.Sprintf("must be %s, not %s", Range(min, max), text.Number(f))
	case whole:
		return int(f), ""
	}
	return f, ""
}

// Range says the range of a number in words, "" if it has none.
func Range(min, max *float64) string {
	switch {
	case min != nil && max != nil:
		return text.Number(*min) + " to " + text.Number(*max)
	case min != nil:
		return "at least " + text.Number(*min)
	case max != nil:
		return "at most " + text.Number(*max)
	}
	return ""
}

// List is an argument as a []string of at most limit elements, in each of which check finds no
// violation.
func List(arg any, limit int, check func(string) string) (v any, violation string) {
	items, ok := arg.([]any)
	if texts, isTexts := arg.([]string); isTexts {
		for _, t := range texts {
			items = append(items, t)
		}
		ok = true
	}
	if !ok {
		return nil, "must be a list of strings, not " + text.Kind(arg)
	}
	if len(items) > limit {
		return nil, fmt.Sprintf("has %d elements, at most %d are allowed", len(items), limit)
	}
	list := make([]string, 0, len(items))
	for i, item := range items {
		s, ok := item.(string)
		if !ok {
			return nil, fmt.Sprintf("element %d must be a string, not %s", i+1, text.Kind(item))
		}
		if violation := check(s); violation != "" {
			return nil, fmt.Sprintf("element %d %s", i+1, violation)
		}
		list = append(list, s)
	}
	return list, ""
}

// Bounds are those of a text.
type Bounds struct {
	Enum      []string       // the only ones, if there are any
	MinLength *int           // in characters; nil: none
	MaxLength int            // in characters
	Pattern   *regexp.Regexp // nil: none
}

// Check holds a text against the bounds; "" if nothing is wrong with it.
func (b Bounds) Check(s string) string {
	n := utf8.RuneCountInString(s)
	switch {
	case slices.Contains([]byte(s), 0):
		return "contains a NUL character, which no program can receive"
	case !utf8.ValidString(s):
		return "is not valid UTF-8"
	case len(b.Enum) > 0 && !slices.Contains(b.Enum, s):
		body := fmt.Sprintf("must be %s, not %q", text.OneOf(b.Enum), text.Abbreviate(s))
		if hint := text.DidYouMean(s, b.Enum); hint != "" {
			body += " (" + hint + ")"
		}
		return body
	case b.MinLength != nil && n < *b.MinLength:
		return fmt.Sprintf("must have at least %d characters", *b.MinLength)
	case n > b.MaxLength:
		return fmt.Sprintf("has %d characters, at most %d are allowed", n, b.MaxLength)
	case b.Pattern != nil && !b.Pattern.MatchString(s):
		return fmt.Sprintf("must match %s", b.Pattern)
	}
	return ""
}
