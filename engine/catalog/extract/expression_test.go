package extract

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/expr-lang/expr/builtin"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// over compiles a condition over a list of strings and a record.
func over(src string) *Expression {
	return &Expression{src: src, scope: ScopeOf(map[string]any{"tags": []string{}, "event": nil}), condition: true}
}

func TestOnlyListedBuiltins(t *testing.T) {
	for _, f := range builtin.Builtins {
		// One of these has the right number of arguments, if there is such a function.
		for _, args := range []string{"()", "(tags)", "(tags, true)", "(tags, tags)", "(tags, #, 'asc')", "(tags, #acc, 0)", "('a', 'b', 'c')"} {
			if _, err := over("string(" + f.Name + args + ") == ''").program(); err == nil && !slices.Contains(allowed, f.Name) {
				t.Errorf("%s%s can be called, and is not listed", f.Name, args)
			}
		}
	}
	for _, name := range allowed {
		if _, err := over(name + "()").program(); err == nil || strings.Contains(err.Error(), "unknown name") {
			t.Errorf("%s is listed, and cannot be called: %v", name, err)
		}
	}
}

func TestOneLevelOfPredicates(t *testing.T) {
	for src, ok := range map[string]bool{
		`any(tags, # == "x")`: true,
		`len(filter(tags, # != "")) > 1 && all(tags, # != "y")`:       true,
		`sum(map(filter(tags, # != ""), len(#))) > 3`:                 true,
		`(tags | filter(# != "") | map(len(#)) | sum()) > 3`:          true,
		`any(event.a ?? [], # in tags)`:                               true,
		`any(tags, any(tags, # == "x"))`:                              false,
		`any(tags, len(filter(event.b, # == 1)) > 0)`:                 false,
		`let f = map(tags, count(tags, # != "")); len(f) > 1`:         false,
		`any(tags, true ? any(tags, # == "x") : false)`:               false,
		`any(tags, [any(tags, true)][0])`:                             false,
		`any(1..3, # == 2)`:                                           false,
		`event.x in [1..3]`:                                           false,
		`any(tags, # == string(len(1..9)))`:                           false,
		`len(tags[1..2]) == 1`:                                        false,
		`reduce(tags, #acc + #) == ""`:                                false,
		`any(tags, {"a": any(tags, # == "b")}.a)`:                     false,
		`len(tags[1:2]) == 1`:                                         true,
		`any(map(tags, {upper(#)}), # == "X") || none(tags, # == "")`: true,
	} {
		if _, err := over(src).program(); (err == nil) != ok {
			t.Errorf("%s: got %v, want it accepted: %v", src, err, ok)
		}
	}
}

// TestHugeExpressions are refused, whatever makes them so: neither the stack nor the time of
// a check grows with them.
func TestHugeExpressions(t *testing.T) {
	const many = 1 << 20
	for name, src := range map[string]string{
		"parentheses": strings.Repeat("(", many) + "true" + strings.Repeat(")", many), "signs": strings.Repeat("!", many) + "true",
		"words": strings.Repeat("true and ", many) + "true", "a list": "1 in [" + strings.Repeat("1,", many) + "1]", "a text": `"` + strings.Repeat("x", many) + `" == ""`,
		"brackets": strings.Repeat("[", many), "few parentheses": strings.Repeat("(", maxExpression/2) + strings.Repeat(")", maxExpression/2), "few words": strings.Repeat("true and ", 300) + "true",
	} {
		ps := lang.NewProblems()
		Condition(src, ScopeOf(nil), false, ps)
		if len(*ps.List) != 1 || len((*ps.List)[0].Text) > 1000 {
			t.Errorf("%s: %d problems", name, len(*ps.List))
		}
	}
}

func TestFailingExpressionDoesNotHold(t *testing.T) {
	env := map[string]any{"tags": []string{}, "event": map[string]any{"n": 1.0}}
	for src, want := range map[string]bool{
		`tags[0] == "x"`: false, `event.a.b == 1`: false, `event?.a?.b == nil`: true, `event.n == 1`: true, `event.n matches "x"`: false, `this is broken`: false,
	} {
		if got := over(src).Holds(env); got != want {
			t.Errorf("%s: got %v, want %v", src, got, want)
		}
	}
	if !(*Expression)(nil).Holds(nil) {
		t.Error("no condition must hold")
	}
}

func TestTexts(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{{nil, ""}, {"a", "a"}, {true, "true"}, {3, "3"}, {12345678.0, "12345678"}, {0.1, "0.1"}, {[]any{"a", nil, 1.0}, "a1"}, {map[string]any{"b": 1.0, "a": "<"}, `{"a":"<","b":1}`}, {map[string]any{"a": math.Inf(1)}, "map[a:+Inf]"}} {
		if got := asText(c.value); got != c.want {
			t.Errorf("asText(%v) = %q, want %q", c.value, got, c.want)
		}
	}
}

// BenchmarkCondition is the dearest condition over a list of the length that a
// caller may give.
func BenchmarkCondition(b *testing.B) {
	tags := make([]string, 100)
	for i := range tags {
		tags[i] = strings.Repeat("tag ", 25)
	}
	e := over(`any(tags, lower(#) matches "(?i)no|such|tag$")`)
	env := map[string]any{"tags": tags}
	for b.Loop() {
		if e.Holds(env) {
			b.Fatal("it must not hold")
		}
	}
}
