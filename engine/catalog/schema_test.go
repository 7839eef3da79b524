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

	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
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
		cli := compiled(t, langtest.Text(t, files))
		validate := validator(t, cli.InputSchema())
		args := langtest.Expand(files["args.json"])
		if _, violations := cli.Bind(json.RawMessage(args), nil, langtest.IDs()); violations != nil {
			continue
		}
		given, _ := cli.arguments(json.RawMessage(args), nil) // as they are meant: no schema can say portably what else is understood
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
		`{"prompt":"hi","turns":51}`: false, `{"prompt":"hi","turns":0}`: false, `{"prompt":"hi","turns":1.5}`: false, `{"prompt":"hi","turns":"one"}`: false,
		`{"prompt":"hi","heat":0.4}`: false, `{"prompt":"hi","level":"lo"}`: false, `{"prompt":"hi","on":"yes"}`: false,
		`{"prompt":"hi","tags":"a b"}`: false, `{"prompt":"hi","tags":[true]}`: false, `{"prompt":"hi","modes":["z"]}`: false,
		`{"prompt":"hi","timeoutMs":999}`: false, `[]`: false,
	} {
		_, violations := cli.Bind(json.RawMessage(args), nil, langtest.IDs())
		if err := validate(args); (err == nil) != good || (violations == nil) != good {
			t.Errorf("%s: schema %v, Bind %v, want good: %v", args, err, violations, good)
		}
	}
	// Bounds that the listing leaves out hold all the same.
	for _, args := range []string{`{"prompt":"hi","tags":["a","b","c","d"]}`, `{"prompt":"hi","region":"a"}`, `{"prompt":"hi","region":"abcde"}`} {
		if _, violations := cli.Bind(json.RawMessage(args), nil, langtest.IDs()); violations == nil {
			t.Errorf("%s is accepted", args)
		}
	}
}
