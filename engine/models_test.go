package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/modelnames"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/models"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// listedModels is what list_models returns for a CLI.
type listedModels struct {
	DefaultModel, DefaultModelSource string
	Models                           map[string]string
	ModelMetadata                    map[string]struct{ Source, Confidence string }
	Aliases                          map[string]string
	Warnings                         []string
}

// listed calls list_models with the built-in specs, a home and an environment.
func listed(t *testing.T, cat *catalog.Catalog, cli, home string, environ ...string) listedModels {
	t.Helper()
	here := host.New(append([]string{"HOME=" + home}, environ...), nil, "")
	offered := &tools.Tools{Catalog: func() *catalog.Catalog { return cat }, Models: &models.Registry{Host: here}, Calls: &call.Service{Versions: &installed.Prober{Host: here}}}
	r := offered.Call(t.Context(), call.Request{Tool: tools.ListModels, Args: fmt.Appendf(nil, `{"cli":%q}`, cli)})
	if r.IsError {
		t.Fatal(r.Text)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.Structured))
	if err != nil {
		t.Fatal(err)
	}
	if err := modelsSchema(t).Validate(doc); err != nil {
		t.Errorf("%v\n%s", err, r.Structured)
	}
	var result struct{ CLIs map[string]listedModels }
	if err := json.Unmarshal(r.Structured, &result); err != nil || len(result.CLIs) != 1 {
		t.Fatalf("%v: %s", err, r.Structured)
	}
	return result.CLIs[cli]
}

func modelsSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(tools.ListModelsTool.Output))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("models.json", schema); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("models.json")
}

// TestModelsOfEveryCLI: every variable and every source works for every built-in CLI.
func TestModelsOfEveryCLI(t *testing.T) {
	cat := builtIn(t).Catalog
	for _, cli := range cat.CLIs {
		t.Run(cli.Name, func(t *testing.T) {
			home := t.TempDir()
			prefix := cli.ModelPrefix()
			bare := listed(t, cat, cli.Name, home)
			for _, alias := range modelnames.StandardAliases { // of those that leave it to the CLI none is advertised, and all are taken
				if model, listed := bare.Aliases[alias]; listed && model == "" {
					t.Errorf("the alias %s means nothing, and is advertised", alias)
				}
				if _, wrong := cli.Bind([]byte(`{"prompt":"x","model":"`+alias+`"}`), nil, func() string { return "id" }); wrong != nil {
					t.Errorf("%s: %v", alias, wrong)
				}
			}
			if said := listed(t, cat, cli.Name, home, prefix+"_DEFAULT_MODEL=mine"); said.Aliases[modelnames.Latest] != "mine" {
				t.Errorf("latest is %q where the default is set", said.Aliases[modelnames.Latest])
			}
			if bare.DefaultModel != "" || len(bare.Warnings) > 0 {
				t.Errorf("with nothing: %+v", bare)
			}
			result := listed(t, cat, cli.Name, home, prefix+"_DEFAULT_MODEL=mine", prefix+`_MODELS={"team-9":"The team's"}`,
				prefix+"_MODEL_ALIASES=mine=own-9", "LLM_GATEWAY_MODEL_ALIASES="+cli.Name+".fast=quick-9")
			if result.DefaultModel != "own-9" || result.DefaultModelSource != "env:"+prefix+"_DEFAULT_MODEL" || result.Models["team-9"] != "The team's" ||
				result.Aliases["mine"] != "own-9" || result.Aliases["fast"] != "quick-9" || len(result.Warnings) > 0 {
				t.Errorf("with variables: %+v", result)
			}
			for _, name := range []string{"own-9", "team-9", "quick-9"} {
				if m := result.ModelMetadata[name]; m.Source != "env" || m.Confidence != "high" {
					t.Errorf("%s: %+v", name, m)
				}
			}
			for name, source := range cli.Models.Sources.All() {
				t.Run(name, func(t *testing.T) { trySource(t, cat, cli, name, source) })
			}
		})
	}
}

// trySource writes what a source reads, where the CLI keeps it and elsewhere.
func trySource(t *testing.T, cat *catalog.Catalog, cli *catalog.CLI, name string, s lang.SourceSpec) {
	t.Helper()
	check := func(home string, environ ...string) {
		t.Helper()
		result := listed(t, cat, cli.Name, home, environ...)
		want := map[string]string{lang.GivesDefault: "config", lang.GivesModels: "config", lang.GivesObserved: "observed"}[s.What()]
		if s.Env != "" {
			want = "env"
		}
		if got := result.ModelMetadata["found-9"].Source; got != want || (result.DefaultModel == "found-9") != (s.What() == lang.GivesDefault) || len(result.Warnings) > 0 {
			t.Errorf("%v: %+v", environ, result)
		}
	}
	if s.Env != "" {
		check(t.TempDir(), s.Env+"=found-9")
		return
	}
	for _, path := range s.Path {
		home := t.TempDir()
		variable, rest, _ := strings.Cut(strings.TrimPrefix(path, "$"), "/")
		if !strings.HasPrefix(path, "$") {
			variable = "UNUSED"
		}
		write(t, filepath.Join(home, rest), s)
		check(home, variable+"="+home)
	}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	write(t, elsewhere, s)
	check(t.TempDir(), s.Variable(cli.ModelPrefix(), name)+"="+elsewhere)
}

// write makes what the source reads at a path.
func write(t *testing.T, path string, s lang.SourceSpec) {
	t.Helper()
	if s.Files != "" {
		path = filepath.Join(path, strings.ReplaceAll(s.Files, "*", "x"))
		path = strings.TrimSuffix(path, "x") // of *.json*
	}
	format := s.FormatOf(path)
	if format == "" {
		format = s.FormatOf(append(s.Path, "")[0])
	}
	text := `"found-9"`
	if s.What() == lang.GivesModels {
		text = map[string]string{lang.FormatTOML: `{found-9={}}`, lang.FormatJSON: `{"found-9":{}}`}[format]
	}
	key := s.Key[0]
	if format == lang.FormatTOML {
		text = key + " = " + text + "\n"
	} else {
		parts := strings.Split(key, ".")
		text = `{"` + strings.Join(parts, `":{"`) + `":` + text + strings.Repeat("}", len(parts)) + "\n"
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
