package catalog

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

const lenientSpec = `{"bin":"juno","argv":["{params}"],"params":{
	"on":{"doc":"B","type":"bool","flag":"--on"},"quiet":{"doc":"B","type":"bool","flag":"--quiet","off":"--loud","default":true},
	"n":{"doc":"N","type":"int","flag":"-n","min":1,"max":99},"f":{"doc":"F","type":"number","flag":"-f"},
	"dirs":{"doc":"L","type":"list","flag":"--dir","each":true,"maxItems":3},"kinds":{"doc":"L","type":"list","flag":"--kind","enum":["a b","c"]},
	"some":{"doc":"L","type":"list","flag":"--some","default":["x"]},"level":{"doc":"E","flag":"--level","enum":["low","high"]},
	"team":{"doc":"S","flag":"--team","pattern":"^[a-z0-9.]+$"}}}`

// TestArgumentsAsMeant: what a model sends instead of the declared type is understood
// where it can mean one thing only, and held against the same bounds.
func TestArgumentsAsMeant(t *testing.T) {
	cli := compiled(t, []byte(lenientSpec))
	given := func(args string) string {
		call, wrong := cli.Bind(json.RawMessage(args), nil, langtest.IDs())
		if wrong != nil {
			return wrong.Error()
		}
		values := map[string]any{}
		for name := range call.given {
			if p, _ := cli.Param(name); p.InSpec() {
				values[name] = call.values[name]
			}
		}
		return string(text.MustJSON(values))
	}
	for args, want := range map[string]string{
		`"n":"5"`: `{"n":5}`, `"n":" 5 "`: `{"n":5}`, `"f":"-1.5e1"`: `{"f":-15}`, `"n":"5.0"`: `{"n":5}`,
		`"n":"100"`: "n: must be 1 to 99, not 100", `"n":"1.5"`: "n: must be an integer, not 1.5",
		`"n":"0x5"`: `n: must be an integer, not "0x5"`, `"n":"five"`: `n: must be an integer, not "five"`, `"n":"5 6"`: `n: must be an integer, not "5 6"`, `"n":true`: "n: must be an integer, not true",
		`"f":"NaN"`: `f: must be a number, not "NaN"`, `"f":"1e999"`: "f: must be a number, not 1e999",
		`"on":"true"`: `{"on":true}`, `"on":"True"`: `{"on":true}`, `"on":"yes"`: `on: must be true or false, not "yes"`, `"on":1`: "on: must be true or false, not 1",
		`"dirs":"[\"/a\",\"/b c\"]"`: `{"dirs":["/a","/b c"]}`, `"dirs":"/a"`: `{"dirs":["/a"]}`, `"dirs":[1,"b"]`: `{"dirs":["1","b"]}`,
		`"dirs":"/a,/b"`: `dirs: must be a list of strings, not "/a,/b"`, `"dirs":"/a /b"`: `dirs: must be a list of strings, not "/a /b"`,
		`"dirs":"[\"a\""`: `dirs: must be a list of strings, not "[\"a\""`, `"dirs":"[\"a\"] x"`: `dirs: must be a list of strings, not "[\"a\"] x"`, `"dirs":"[[1]]"`: "dirs: element 1 must be a string, not a list",
		`"dirs":"[1,2,3,4]"`: "dirs: has 4 elements, at most 3 are allowed",
		`"kinds":"a b"`:      `{"kinds":["a b"]}`, `"kinds":"c"`: `{"kinds":["c"]}`, `"kinds":"d"`: `kinds: element 1 must be "a b" or "c", not "d"`,
		`"team":5`: `{"team":"5"}`, `"team":1.50`: `{"team":"1.50"}`, `"team":-5`: "team: must match ^[a-z0-9.]+$", `"team":true`: "team: must be a string, not true",
		`"level":1`: `level: must be "low" or "high", not "1"`, `"level":"lo"`: `level: must be "low" or "high", not "lo" (did you mean "low"?)`,

		// Not given.
		`"n":"","f":" ","on":"","dirs":"","kinds":"","level":"","team":"","quiet":""`:                                 `{}`,
		`"n":"null","f":null,"on":"null","dirs":"null","kinds":null,"level":"null","team":"null","workingDir":"null"`: `{}`,
		`"on":false,"dirs":[],"kinds":"[]"`: `{}`,
		`"on":"false"`:                      `{}`,
		`"quiet":false,"some":[]`:           `{"quiet":false,"some":[]}`, // these turn a default off
		`"correlationId":"","timeoutMs":""`: `{}`,
		`"prompt":""`:                       "prompt: Prompt cannot be empty",
		`"prompt":"null"`:                   `{}`, // required, so it is what it says
		`"prompt":5`:                        "prompt: must be a string, not 5",
	} {
		if got := given(fmt.Sprintf(`{"prompt":"hi",%s}`, args)); got != want {
			t.Errorf("%s: got %s, want %s", args, got, want)
		}
	}
}
