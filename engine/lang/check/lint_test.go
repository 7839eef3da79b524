package check

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/listing"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

func TestLint(t *testing.T) {
	for _, name := range []string{"acme", "zeta", "lines", "object"} {
		if found := Lint(cliOf(t, langtest.Spec(t, name)).Describe()); found != nil {
			t.Errorf("%s: %v", name, found)
		}
	}
	root := func(properties string) string {
		return `{"type":"object","properties":{` + properties + `},"required":[],"additionalProperties":false}`
	}
	for _, c := range []struct{ in, want string }{
		{`{`, `input: not valid JSON`},
		{`{"type":"array","items":{"type":"string"},"additionalProperties":false}`, `the root must have type "object"`},
		{`{"type":"object","properties":{}}`, `additionalProperties false`},
		{`{"type":"object","additionalProperties":false,"anyOf":[]}`, `the root has "anyOf"`},
		{`{"type":"object","additionalProperties":false,"required":["a"]}`, `required property a does not exist`},
		{root(`"a":{"type":["string","integer"]}`), `type must be one of the plain types`},
		{root(`"a":{}`), `type must be one of the plain types`},
		{root(`"a":true`), `a schema must be an object`},
		{root(`"a":{"type":"string","format":"uri"}`), `"format" is not understood`},
		{root(`"a":{"$ref":"#/x","type":"string"}`), `"$ref" is not understood`},
		{root(`"a":{"type":"string","enum":["x",""]}`), `non-empty strings`},
		{root(`"a":{"type":"integer","enum":[1]}`), `non-empty strings`},
		{root(`"a":{"type":"array"}`), `a list needs typed items`},
		{root(`"a":{"type":"array","items":{"type":"null"}}`), `input.a.items: type must be`},
		{root(`"a":{"type":"object","additionalProperties":{"type":"x"}}`), `input.a.*: type must be`},
		{root(`"a":{"type":"object","properties":{"b":{"type":"string","const":"x"}}}`), `input.a.b: "const"`},
		{root(`"a b":{"type":"string"}`), `property name "a b"`},
		{root(`"a":{"type":"string","description":"` + strings.Repeat("x", 501) + `"}`), `description has 501 bytes`},
	} {
		tool := catalog.Tool{Name: "acme_request", Description: "Asks.", Input: json.RawMessage(c.in)}
		if found := strings.Join(Lint(tool), "\n"); !strings.Contains(found, c.want) {
			t.Errorf("%s: got %q, want %q", c.in, found, c.want)
		}
	}
	good := json.RawMessage(root(`"a":{"type":"string"}`))
	for want, tool := range map[string]catalog.Tool{
		`name "Acme"`:               {Name: "Acme", Description: "x", Input: good},
		`at most 40 characters`:     {Name: strings.Repeat("a", 41), Description: "x", Input: good},
		`description has 0 bytes`:   {Name: "a", Input: good},
		`output schema has`:         {Name: "a", Description: "x", Input: good, Output: json.RawMessage(root(`"` + strings.Repeat("a", 60) + `":{"type":"string","description":"` + strings.Repeat("y", 700) + `"}`))},
		`output: the root has "if"`: {Name: "a", Description: "x", Input: good, Output: json.RawMessage(`{"type":"object","if":{}}`)},
	} {
		if found := strings.Join(Lint(tool), "\n"); !strings.Contains(found, want) {
			t.Errorf("got %q, want %q", found, want)
		}
	}
}

func TestLintOfATool(t *testing.T) {
	b := catalog.NewBuiltin(catalog.Tool{Name: "do_it", Description: "Do it.", Output: listing.OutputSchema},
		&catalog.Param{Name: "id", Kind: catalog.String, ParamSpec: lang.ParamSpec{Doc: "Id.", Required: true, MaxLength: new(3)}},
		&catalog.Param{Name: "most", Kind: catalog.Int, ParamSpec: lang.ParamSpec{Doc: "Most.", Min: new(1.0), Max: new(9.0), Default: 4}})
	if wrong := Lint(b.Tool); len(wrong) > 0 {
		t.Error(wrong)
	}
}
