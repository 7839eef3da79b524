package catalog

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

func TestListingGolden(t *testing.T) {
	for _, name := range []string{"acme", "zeta", "lines", "object"} {
		var got bytes.Buffer
		if err := json.Indent(&got, shared(t, name).Describe().Listing(), "", "  "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		file := filepath.Join("testdata", "listing", name+".json")
		if os.Getenv("GATEWAY_UPDATE") != "" {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(want, got.Bytes()) {
			t.Errorf("%s differs (%v):\n%s", file, err, got.Bytes())
		}
	}
}

// validator compiles a schema with another's implementation of the standard.
func validator(t *testing.T, schema json.RawMessage) func(instance string) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("tool.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("tool.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(instance string) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(instance))
		if err != nil {
			t.Fatal(err)
		}
		return compiled.Validate(v)
	}
}

// TestSchemaTakesWhatBindTakes goes through all cases of TestArgv: a client that
// validates must not hold back a call that the gateway would make.
func TestSchemaTakesWhatBindTakes(t *testing.T) {
	names, err := filepath.Glob("testdata/argv/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no cases", err)
	}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, f := range a.Files {
			files[f.Name] = string(f.Data)
		}
		cli := compiled(t, specText(t, files))
		validate := validator(t, cli.InputSchema())
		args := repeated.ReplaceAllStringFunc(files["args.json"], repeat)
		if _, violations := cli.Bind(json.RawMessage(args), nil, ids()); violations != nil {
			continue
		}
		var given map[string]any
		if err := json.Unmarshal([]byte(args), &given); err != nil {
			t.Fatal(err)
		}
		for key, value := range given {
			if value == nil { // not given, though no schema can say so portably
				delete(given, key)
			}
		}
		if err := validate(string(text.MustJSON(given))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaAgreesWithBind(t *testing.T) {
	cli := shared(t, "acme")
	validate := validator(t, cli.InputSchema())
	for args, good := range map[string]bool{
		`{"prompt":"hi"}`: true, `{"prompt":"hi","turns":50,"heat":0.5,"level":"low","tags":["a","b","c"],"region":"abcd","on":true}`: true,
		`{"prompt":"hi","turns":3.0}`: true, `{}`: false, `{"prompt":1}`: false, `{"prompt":""}`: false, `{"prompt":"hi","turn":1}`: false,
		`{"prompt":"hi","turns":51}`: false, `{"prompt":"hi","turns":0}`: false, `{"prompt":"hi","turns":1.5}`: false, `{"prompt":"hi","turns":"1"}`: false,
		`{"prompt":"hi","heat":0.4}`: false, `{"prompt":"hi","level":"lo"}`: false, `{"prompt":"hi","on":"true"}`: false,
		`{"prompt":"hi","tags":"a"}`: false, `{"prompt":"hi","tags":[1]}`: false, `{"prompt":"hi","modes":["z"]}`: false,
		`{"prompt":"hi","timeoutMs":999}`: false, `[]`: false,
	} {
		_, violations := cli.Bind(json.RawMessage(args), nil, ids())
		if err := validate(args); (err == nil) != good || (violations == nil) != good {
			t.Errorf("%s: schema %v, Bind %v, want good: %v", args, err, violations, good)
		}
	}
	// Bounds that the listing leaves out hold all the same.
	for _, args := range []string{`{"prompt":"hi","tags":["a","b","c","d"]}`, `{"prompt":"hi","region":"a"}`, `{"prompt":"hi","region":"abcde"}`} {
		if _, violations := cli.Bind(json.RawMessage(args), nil, ids()); violations == nil {
			t.Errorf("%s is accepted", args)
		}
	}
}

func TestLint(t *testing.T) {
	for _, name := range []string{"acme", "zeta", "lines", "object"} {
		if found := Lint(shared(t, name).Describe()); found != nil {
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
		{root(`"a":{"type":["string","null"]}`), `type must be one of the plain types`},
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
		tool := Tool{Name: "acme_request", Description: "Asks.", Input: json.RawMessage(c.in)}
		if found := strings.Join(Lint(tool), "\n"); !strings.Contains(found, c.want) {
			t.Errorf("%s: got %q, want %q", c.in, found, c.want)
		}
	}
	good := json.RawMessage(root(`"a":{"type":"string"}`))
	for want, tool := range map[string]Tool{
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

func TestProofs(t *testing.T) {
	cli := shared(t, "acme")
	got := map[string]string{}
	for _, proof := range Proofs(cli) {
		if !proof.Safe {
			t.Errorf("%s is not safe: %s", proof.Param, proof.How)
		}
		got[proof.Param] = proof.How
	}
	for name, want := range map[string]string{
		"name": "--name=--evil", "short": "refused: begins with a dash and would stand as an option", "joined": "-j=--evil", "files": `after "--"`,
		"token": "not in the command line", "prompt": "over standard input", "sessionId": "refused: not an id", "tags": "--tags=--evil",
		"effort": `effort="--evil"`, "target": "refused: begins with a dash and would stand as an option", "keys": `--set=["--evil"]`,
		"level": `refused: must be "low", "medium" or "high", not "--evil"`, "deep": "",
	} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
	loose := compiled(t, []byte(`{"bin":"acme","argv":["{session}"],"session":{"id":"x","create":["--id={id}"],"resume":["-r","{id}"]}}`))
	for _, proof := range Proofs(loose) {
		if proof.Param == ParamSessionID && (!proof.Safe || proof.How != "refused: not an id") {
			t.Errorf("a loose grammar of ids: %+v", proof)
		}
	}
	if proof := prove(loose, loose.byName[ParamSessionID], "--evil=x"); !proof.Safe || !strings.Contains(proof.How, "begins with a dash") {
		t.Errorf("an id that passes the grammar: %+v", proof)
	}
}

// TestVetSeesInjection breaks the renderer's knowledge of where options end.
func TestVetSeesInjection(t *testing.T) {
	catalog, problems := Compile(readSpec(t, []byte(`{"bin":"acme","argv":["{one}"],"params":{"one":{"doc":"x"}}}`)))
	if catalog == nil {
		t.Fatal(problems)
	}
	if found := Vet(catalog, nil); len(found) > 0 {
		t.Fatalf("nothing is wrong yet: %v", found)
	}
	catalog.CLIs[0].argv[lang.New][0].safe = true
	found := Vet(catalog, nil)
	if len(found) != 1 || found[0].Error() != `cli.acme.params.one: a value can stand as an option: --evil` {
		t.Errorf("got %v", found)
	}
}
