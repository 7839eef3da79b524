package catalog

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/types"

	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

// over compiles a condition over a list of strings and a record.
func over(src string) *expression {
	return &expression{src: src, scope: types.Map{"tags": types.Array(types.String), "event": types.Any}, want: expr.AsBool()}
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

func TestFailingExpressionDoesNotHold(t *testing.T) {
	env := map[string]any{"tags": []string{}, "event": map[string]any{"n": 1.0}}
	for src, want := range map[string]bool{
		`tags[0] == "x"`: false, `event.a.b == 1`: false, `event?.a?.b == nil`: true, `event.n == 1`: true, `event.n matches "x"`: false, `this is broken`: false,
	} {
		if got := over(src).holds(env); got != want {
			t.Errorf("%s: got %v, want %v", src, got, want)
		}
	}
	if !(*expression)(nil).holds(nil) {
		t.Error("no condition must hold")
	}
}

func TestRisks(t *testing.T) {
	cli := compiled(t, []byte(`{"bin":"acme","argv":["{params}"],
		"params":{"tools":{"doc":"x","type":"list","flag":"--tools"},"yolo":{"doc":"x","type":"bool","flag":"--yolo"},"turns":{"doc":"x","type":"int","flag":"--turns","default":9}},
		"risk":[{"id":"sh","when":"any(tools, # startsWith 'sh')","score":25,"reason":"runs commands"},{"id":"yolo","when":"yolo","score":60},
			{"id":"long","when":"turns > 5 && !given.turns","score":5},{"id":"odd","when":"tools[3] == 'x'","score":1},{"id":"rm","when":"prompt contains 'rm -rf' && mode == 'new'","score":9}]}`))
	catalog := &Catalog{CLIs: []*CLI{cli}}
	for args, want := range map[string]string{
		// Of fewer than four tools the odd rule cannot say anything: it is taken to hold.
		`{"prompt":"hi"}`: "long odd",
		`{"prompt":"hi","tools":["a","sh -c"],"turns":9}`:                  "sh odd",
		`{"prompt":"do rm -rf","yolo":true,"turns":1}`:                     "yolo odd rm",
		`{"prompt":"hi","yolo":false,"tools":["a","b","c","d"],"turns":1}`: "",
		`{"prompt":"hi","yolo":false,"tools":["a","b","c","x"],"turns":1}`: "odd",
	} {
		call, violations := cli.Bind(json.RawMessage(args), nil, langtest.IDs())
		if violations != nil {
			t.Fatal(violations)
		}
		found := []string{}
		for _, hit := range catalog.Risks(call) {
			found = append(found, hit.ID)
		}
		if got := strings.Join(found, " "); got != want {
			t.Errorf("%s: got %q, want %q", args, got, want)
		}
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
	for n, want := range map[int]string{100_000: "100k", 1_000_000: "1,000k", 1500: "1,500", 7: "7"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q, want %q", n, got, want)
		}
	}
}
