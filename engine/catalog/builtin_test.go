package catalog

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/catalog/listing"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

func TestBuiltin(t *testing.T) {
	b := NewBuiltin(Tool{Name: "do_it", Description: "Do it.", Output: listing.StartSchema},
		&Param{Name: "id", Kind: String, ParamSpec: lang.ParamSpec{Doc: "Id.", Required: true, MaxLength: ptr(3)}},
		&Param{Name: "most", Kind: Int, ParamSpec: lang.ParamSpec{Doc: "Most.", Min: ptr(1.0), Max: ptr(9.0), Default: 4}},
		&Param{Name: "state", Kind: String, ParamSpec: lang.ParamSpec{Doc: "State.", Enum: []string{"up", "down"}}})
	if want := `"most":{"type":"integer","description":"Most. 1 to 9. Default: 4.","default":4,"minimum":1,"maximum":9}`; !strings.Contains(string(b.Input), want) {
		t.Errorf("schema: %s", b.Input)
	}
	for args, want := range map[string]map[string]any{
		`{"id":"x"}`:                             {"id": "x", "most": 4},
		`{"id":"x","most":9.0,"state":"up"}`:     {"id": "x", "most": 9, "state": "up"},
		`{"id":"x","most":null,"added":"to it"}`: {"id": "x", "most": 4},
	} {
		got, wrong := b.Bind(json.RawMessage(args), []string{"added", "id"})
		if wrong != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v %v", args, got, wrong)
		}
	}
	for args, want := range map[string]string{
		``:                       "id: missing required parameter",
		`7`:                      "the arguments must be an object, not 7",
		`{"id":"toolong","x":1}`: "x: unknown parameter\nid: has 7 characters, at most 3 are allowed",
		`{"id":"x","most":10,"state":"dwon"}`: "most: must be 1 to 9, not 10\n" +
			`state: must be "up" or "down", not "dwon" (did you mean "down"?)`,
	} {
		if _, wrong := b.Bind(json.RawMessage(args), nil); wrong.Error() != want {
			t.Errorf("%s: %q, want %q", args, wrong.Error(), want)
		}
	}
}

// TestRevive: a call that was revived from its record reads an output as the call does.
func TestRevive(t *testing.T) {
	var s lang.Spec
	text := `{"cli":{"acme":{"bin":"acme","argv":{"new":["{params}"],"resume":["{params}","{session}"]},
		"params":{"see":{"doc":"See","enum":["short","all"],"show":{"short":"answer","all":"events"}}},
		"session":{"id":"^[a-z]+$","resume":["-r","{id}"],"capture":"event.id"},
		"output":{"format":"jsonl","text":"event.text"}}}}`
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	catalog, problems := Compile(&s)
	if catalog == nil {
		t.Fatal(problems)
	}
	cli, _ := catalog.CLI("acme")
	for _, args := range []string{`{"prompt":"x"}`, `{"prompt":"x","see":"all"}`, `{"prompt":"x","sessionId":"old"}`} {
		call, wrong := cli.Bind(json.RawMessage(args), nil, func() string { return "new" })
		if wrong != nil {
			t.Fatal(wrong)
		}
		raw, err := json.Marshal(call.Arguments())
		if err != nil {
			t.Fatal(err)
		}
		var recorded map[string]any
		if err := json.Unmarshal(raw, &recorded); err != nil {
			t.Fatal(err)
		}
		decode := func(c *Call) extract.Answer {
			a, err := c.Decode(extract.Run{Stdout: strings.NewReader(`{"text":"fine","id":"other"}` + "\n")})
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		if want, got := decode(call), decode(cli.RestoreCall(call.Mode, call.SessionID, recorded)); !reflect.DeepEqual(want, got) {
			t.Errorf("%s: %+v, want %+v", args, got, want)
		}
	}
}
