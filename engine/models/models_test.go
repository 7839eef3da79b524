//go:build unix

package models

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// One CLI with everything, one with nothing but a parameter, one with a choice of
// models, one that takes none.
const basics = `
secret: vendor: {begins: ["sk-"], then: "[a-z0-9-]{12,}"}
cli: acme: {bin: "acme", title: "Acme", argv: ["{params}"], params: model: {doc: "M", flag: "--model", maxLength: 50}
	env: pass: ["ACME_HOME", "ACME_MODEL"]
	models: {
		aliases: {fast: "mini", cheap: "fast", own: ""}
		known: {mini: {doc: "Small", use: "little things"}, maxi: doc: "Big"}
		sources: {
			environment: env: "ACME_MODEL"
			config: {path: ["$ACME_HOME/config.toml", "~/.acme/config.toml"], key: ["model.name", "model"]}
			defined: {path: "~/.acme/config.toml", var: "ACME_CONFIG_PATH", key: "models", gives: "models"}
			local: {var: "ACME_LOCAL", format: "json", key: "model"}
			history: {path: "~/.acme/runs", files: "*/run-*.json*", var: "ACME_HISTORY_ROOT", key: ["said.model", "turns.*.model"], gives: "observed"}
		}
	}}
cli: bare: {bin: "bare", argv: ["{params}"], params: model: {doc: "M", flag: "--model"}, models: prefix: "PLAIN"}
cli: said: {bin: "said", argv: ["{params}"], params: model: {doc: "M", flag: "--model"}, models: aliases: latest: "newest"}
cli: few: {bin: "few", argv: ["{params}"], params: model: {doc: "M", flag: "--model", enum: ["one", "two"]}}
cli: mute: {bin: "mute", argv: []}
gateway: env: {pass: ["HOME"], drop: ["ACME_SECRET"]}
`

// loaded is read once; no test may change it.
var loaded = sync.OnceValue(func() load.Result {
	return load.Load([]load.Layer{{Name: "test", Files: []specfiles.File{{Name: "a.cue", Data: []byte(basics)}}}}, load.Options{})
})

func compile(t testing.TB) *catalog.Catalog {
	t.Helper()
	if loaded().Catalog == nil {
		t.Fatal(loaded().Diagnostics)
	}
	return loaded().Catalog
}

// world is a home with files, and an environment.
type world struct {
	*Registry
	catalog *catalog.Catalog
	home    string
	time    time.Time
}

func newWorld(t testing.TB, environ ...string) *world {
	t.Helper()
	w := &world{catalog: compile(t), home: t.TempDir(), time: time.Now().Add(time.Hour)}
	for i, kv := range environ {
		environ[i] = strings.ReplaceAll(kv, "~HOME", w.home)
	}
	w.Registry = &Registry{Host: host.New(append([]string{"HOME=" + w.home}, environ...), nil, ""), now: func() time.Time { return w.time }}
	return w
}

func (w *world) put(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(w.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (w *world) cli(t testing.TB, name string) *catalog.CLI {
	t.Helper()
	cli, ok := w.catalog.CLI(name)
	if !ok {
		t.Fatal(name)
	}
	return cli
}

// listed is what List returns for one CLI, one fact a line.
func (w *world) listed(t testing.TB, name string) string {
	t.Helper()
	listing := w.List(t.Context(), store.Local, w.catalog, []*catalog.CLI{w.cli(t, name)})
	cli := listing.CLIs[0]
	var b strings.Builder
	if cli.Default.Name != "" {
		fmt.Fprintf(&b, "default %s %s passed=%v %s\n", cli.Default.Name, cli.Kind, cli.Passed, cli.Default.From)
	}
	for _, m := range cli.Models {
		fmt.Fprintln(&b, strings.Join(strings.Fields(strings.Join([]string{string(m.Kind), m.Kind.Confidence(), m.Name, m.From, m.Doc, m.Use}, " ")), " "))
	}
	for _, alias := range sorted(cli.Aliases) {
		fmt.Fprintf(&b, "alias %s=%s\n", alias, cli.Aliases[alias])
	}
	for _, text := range slices.Concat(cli.Warnings, listing.Warnings) {
		fmt.Fprintln(&b, "warning", strings.ReplaceAll(text, w.home, "~HOME"))
	}
	return b.String()
}

// only are the lines that begin with one of the words.
func only(lines string, words ...string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		if word, _, _ := strings.Cut(line, " "); slices.Contains(words, word) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func same(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%swant:\n%s", what, got, want)
	}
}

func TestSpecsAlone(t *testing.T) {
	want := "fallback low mini Small little things\nfallback low maxi Big\n" +
		"alias cheap=fast\nalias fast=mini\n"
	w := newWorld(t)
	same(t, "acme", w.listed(t, "acme"), want)
	same(t, "bare", w.listed(t, "bare"), "")
	same(t, "few", w.listed(t, "few"), "fallback low one\nfallback low two\n")
	same(t, "mute", w.listed(t, "mute"), "")
	w.Registry = nil
	same(t, "without a registry", w.listed(t, "acme"), want)
	if got := w.Current(w.catalog, w.cli(t, "acme")); got.Aliases["fast"].Name != "mini" {
		t.Errorf("%v", got)
	}
}

// TestVariables: what each variable does, and what is said of one that is wrong.
func TestVariables(t *testing.T) {
	long := strings.Repeat("x", maxValue+1)
	for name, c := range map[string]struct {
		cli     string
		environ []string
		want    string // the lines that are of interest
		words   []string
	}{
		"default":                 {"acme", []string{"ACME_DEFAULT_MODEL= maxi\n"}, "default maxi env passed=true env:ACME_DEFAULT_MODEL\nenv high maxi env:ACME_DEFAULT_MODEL Big\n", []string{"default", "env", "warning"}},
		"default, the latest":     {"said", []string{"SAID_DEFAULT_MODEL=maxi"}, "default maxi env passed=true env:SAID_DEFAULT_MODEL\nalias fast=maxi\nalias latest=maxi\nalias smart=maxi\n", []string{"default", "alias", "warning"}},
		"latest, no default":      {"said", nil, "alias latest=newest\n", []string{"default", "alias", "warning"}},
		"latest, its own default": {"said", []string{"SAID_DEFAULT_MODEL=latest"}, "default newest env passed=true env:SAID_DEFAULT_MODEL\nalias fast=latest\nalias latest=newest\nalias smart=latest\n", []string{"default", "alias", "warning"}},
		"latest, by a variable":   {"said", []string{"SAID_DEFAULT_MODEL=maxi", "SAID_MODEL_ALIASES=latest=mini"}, "default maxi env passed=true env:SAID_DEFAULT_MODEL\nalias fast=maxi\nalias latest=mini\nalias smart=maxi\n", []string{"default", "alias", "warning"}},
		"default by alias": {"acme", []string{"ACME_DEFAULT_MODEL=cheap"}, "default mini env passed=true env:ACME_DEFAULT_MODEL\n" +
			"alias cheap=fast\nalias fast=mini\nalias latest=cheap\nalias smart=cheap\n", []string{"default", "alias", "warning"}},
		"default by standard alias": {"acme", []string{"ACME_DEFAULT_MODEL=latest"}, "", []string{"default", "warning"}},
		"default, prefix":           {"bare", []string{"BARE_DEFAULT_MODEL=x", "PLAIN_DEFAULT_MODEL=y"}, "default y env passed=true env:PLAIN_DEFAULT_MODEL\n", []string{"default", "warning"}},
		"default, dash":             {"acme", []string{"ACME_DEFAULT_MODEL=--yolo"}, "warning ACME_DEFAULT_MODEL: \"--yolo\" is not a valid model name\n", []string{"default", "warning"}},
		"default, spaces":           {"acme", []string{"ACME_DEFAULT_MODEL=ignore all"}, "warning ACME_DEFAULT_MODEL: \"ignore all\" is not a valid model name\n", []string{"default", "warning"}},
		"default, a key":            {"acme", []string{"ACME_DEFAULT_MODEL=" + "sk" + "-ant-api03-abcdefghijkl"}, "warning ACME_DEFAULT_MODEL: a text that looks like a key is no model name\n", []string{"default", "warning"}},
		"default, too long":         {"acme", []string{"ACME_DEFAULT_MODEL=" + strings.Repeat("m", 51)}, "warning ACME_DEFAULT_MODEL: the model \"" + strings.Repeat("m", 51) + "\" has 51 characters, at most 50 are allowed\n", []string{"default", "warning"}},
		"default, not of the enum":  {"few", []string{"FEW_DEFAULT_MODEL=three"}, "warning FEW_DEFAULT_MODEL: the model \"three\" must be \"one\" or \"two\", not \"three\"\n", []string{"default", "warning"}},
		"default of none":           {"mute", []string{"MUTE_DEFAULT_MODEL=x"}, "warning MUTE_DEFAULT_MODEL has no effect: mute has no parameter for a model\n", []string{"default", "warning"}},

		"models, list":           {"acme", []string{"ACME_MODELS=a, b\nc,,mini,a"}, "env high a env:ACME_MODELS\nenv high b env:ACME_MODELS\nenv high c env:ACME_MODELS\nenv high mini env:ACME_MODELS Small little things\n", []string{"env", "warning"}},
		"models, array":          {"acme", []string{`ACME_MODELS=["b","a"]`}, "env high b env:ACME_MODELS\nenv high a env:ACME_MODELS\n", []string{"env", "warning"}},
		"models, object":         {"acme", []string{`ACME_MODELS={"b":"The\n team's","mini":"Ours","c":null}`}, "env high b env:ACME_MODELS The team's\nenv high mini env:ACME_MODELS Ours little things\nenv high c env:ACME_MODELS\n", []string{"env", "warning"}},
		"models, broken object":  {"acme", []string{`ACME_MODELS={"b":`}, "warning ACME_MODELS: not valid JSON, at byte 5: unexpected end of JSON input; all of it is ignored\n", []string{"env", "warning"}},
		"models, broken array":   {"acme", []string{`ACME_MODELS=["b"] x`}, "warning ACME_MODELS: not valid JSON, at byte 7: invalid character 'x' after top-level value; all of it is ignored\n", []string{"env", "warning"}},
		"models, wrong elements": {"acme", []string{`ACME_MODELS=["b",5,"-x",{}]`}, "env high b env:ACME_MODELS\nwarning ACME_MODELS: element 2 must be a model name\nwarning ACME_MODELS: element 4 must be a model name\nwarning ACME_MODELS: \"-x\" is not a valid model name\n", []string{"env", "warning"}},
		"models, wrong texts":    {"acme", []string{`ACME_MODELS={"b":7}`}, "env high b env:ACME_MODELS\nwarning ACME_MODELS: the description of \"b\" must be text\n", []string{"env", "warning"}},
		"models, too much":       {"acme", []string{"ACME_MODELS=" + long}, "warning ACME_MODELS: " + tooMuch + "\n", []string{"env", "warning"}},
		"models, too many":       {"acme", []string{"ACME_MODELS=" + strings.Repeat("x,", maxEntries+1)}, "warning ACME_MODELS: " + tooMuch + "\n", []string{"env", "warning"}},

		"aliases, list":      {"acme", []string{"ACME_MODEL_ALIASES= team = maxi ,fast=nano"}, "env high nano env:ACME_MODEL_ALIASES\nenv high maxi env:ACME_MODEL_ALIASES Big\nalias cheap=fast\nalias fast=nano\nalias team=maxi\n", []string{"env", "alias", "warning"}},
		"aliases, object":    {"bare", []string{`PLAIN_MODEL_ALIASES={"fast":"x","own":""}`}, "env high x env:PLAIN_MODEL_ALIASES\nalias fast=x\n", []string{"env", "alias", "warning"}},
		"aliases, general":   {"bare", []string{`LLM_GATEWAY_MODEL_ALIASES=bare.fast=x,acme.fast=y,bare.a.b=z`}, "alias a.b=z\nalias fast=x\n", []string{"alias", "warning"}},
		"aliases, nested":    {"bare", []string{`LLM_GATEWAY_MODEL_ALIASES={"bare":{"fast":"x"},"bare.smart":"y"}`}, "alias fast=x\nalias smart=y\n", []string{"alias", "warning"}},
		"aliases, strangers": {"bare", []string{`LLM_GATEWAY_MODEL_ALIASES=fast=x,none.fast=y,bare`}, "warning LLM_GATEWAY_MODEL_ALIASES: \"bare\" is not alias=model\nwarning LLM_GATEWAY_MODEL_ALIASES: \"fast\" is not CLI.alias\nwarning LLM_GATEWAY_MODEL_ALIASES: unknown CLI \"none\"\n", []string{"warning"}},
		"aliases, broken":    {"bare", []string{`LLM_GATEWAY_MODEL_ALIASES={`, `PLAIN_MODEL_ALIASES={"a":5,"b":{"c":[]}}`}, "warning PLAIN_MODEL_ALIASES: \"a\" must be a model name\nwarning PLAIN_MODEL_ALIASES: \"b.c\" must be a model name\nwarning LLM_GATEWAY_MODEL_ALIASES: not valid JSON, at byte 1: unexpected end of JSON input; all of it is ignored\n", []string{"alias", "warning"}},
		"aliases, array":     {"bare", []string{`PLAIN_MODEL_ALIASES=["a"]`}, "warning PLAIN_MODEL_ALIASES: \"[\\\"a\\\"]\" is not alias=model\n", []string{"warning"}},
		"aliases, conflict": {"bare", []string{`PLAIN_MODEL_ALIASES=fast=x,fast=y,fast=y`, "LLM_GATEWAY_MODEL_ALIASES=bare.fast=z"}, "alias fast=y\n" +
			"warning PLAIN_MODEL_ALIASES: the alias \"fast\" is \"x\", which overrides \"z\" from LLM_GATEWAY_MODEL_ALIASES\nwarning PLAIN_MODEL_ALIASES: the alias \"fast\" is \"y\", which overrides \"x\" from PLAIN_MODEL_ALIASES\n", []string{"alias", "warning"}},
		"aliases, circle": {"acme", []string{`ACME_MODEL_ALIASES=a=b,b=c,c=a,fast=cheap,x=a`}, "alias cheap=fast\nalias fast=mini\n" +
			"warning ACME_MODEL_ALIASES: the alias \"a\" refers back to itself\nwarning ACME_MODEL_ALIASES: the alias \"b\" refers back to itself\nwarning ACME_MODEL_ALIASES: the alias \"c\" refers back to itself\nwarning ACME_MODEL_ALIASES: the alias \"fast\" refers back to itself\nwarning ACME_MODEL_ALIASES: the alias \"x\" refers back to itself\n", []string{"alias", "warning"}},
		"aliases, itself":         {"acme", []string{`ACME_MODEL_ALIASES=fast=fast`}, "alias cheap=fast\nalias fast=fast\n", []string{"alias", "warning"}},
		"aliases, dash":           {"bare", []string{`PLAIN_MODEL_ALIASES={"a":"--x","b c":"x","":"y"}`}, "warning PLAIN_MODEL_ALIASES: the alias \"b c\" may only contain letters, digits and . _ : / -\nwarning PLAIN_MODEL_ALIASES: the alias \"\" may only contain letters, digits and . _ : / -\nwarning PLAIN_MODEL_ALIASES: the alias \"a\": \"--x\" is not a valid model name\n", []string{"alias", "warning"}},
		"aliases, not to be said": {"few", []string{`FEW_MODEL_ALIASES=fast=one,two=one`}, "alias two=one\nwarning FEW_MODEL_ALIASES: the alias \"fast\" must be \"one\" or \"two\", not \"fast\"\n", []string{"alias", "warning"}},
		"all empty":               {"acme", []string{"ACME_MODELS=", "ACME_MODEL_ALIASES= ", "ACME_DEFAULT_MODEL=", "LLM_GATEWAY_MODEL_ALIASES=", "ACME_CONFIG_PATH=", "ACME_MODEL= "}, "", []string{"default", "env", "warning"}},
	} {
		t.Run(name, func(t *testing.T) {
			same(t, "listed", only(newWorld(t, c.environ...).listed(t, c.cli), c.words...), c.want)
		})
	}
}

// TestCallsFollow: calls are bound with the models that are listed.
func TestCallsFollow(t *testing.T) {
	w := newWorld(t, "ACME_DEFAULT_MODEL=cheap", "LLM_GATEWAY_MODEL_ALIASES=acme.fast=nano")
	for args, want := range map[string]string{
		`{"prompt":"x"}`:                    "--model=nano | cheap: env:ACME_DEFAULT_MODEL | fast: alias cheap: cli.acme.models.aliases.cheap | nano: alias fast: env:LLM_GATEWAY_MODEL_ALIASES",
		`{"prompt":"x","model":"smart"}`:    "--model=nano | smart: argument model | cheap: alias smart: env:ACME_DEFAULT_MODEL | fast: alias cheap: cli.acme.models.aliases.cheap | nano: alias fast: env:LLM_GATEWAY_MODEL_ALIASES",
		`{"prompt":"x","model":"own"}`:      " | own: argument model | (the CLI's own default): alias own: cli.acme.models.aliases.own",
		`{"prompt":"x","model":"unknown1"}`: "--model=unknown1 | unknown1: argument model",
		`{"prompt":"x","model":""}`:         "--model=nano | cheap: env:ACME_DEFAULT_MODEL | fast: alias cheap: cli.acme.models.aliases.cheap | nano: alias fast: env:LLM_GATEWAY_MODEL_ALIASES",
	} {
		same(t, args, w.bound(t, "acme", args)+"\n", want+"\n")
	}
	w = newWorld(t)
	w.put(t, ".acme/config.toml", "model = \"maxi\"\n")
	for args, want := range map[string]string{
		`{"prompt":"x"}`:                  " | (the CLI's own default): no model is named | maxi: found by the CLI itself: ~/.acme/config.toml: model",
		`{"prompt":"x","model":"latest"}`: " | latest: argument model | (the CLI's own default): alias latest: known to every CLI | maxi: found by the CLI itself: ~/.acme/config.toml: model",
	} {
		same(t, args, w.bound(t, "acme", args)+"\n", want+"\n")
	}
	w = newWorld(t, "ACME_CONFIG_PATH=~HOME/team.toml")
	w.put(t, "team.toml", "[model]\nname = \"maxi\"\n")
	same(t, "a file that only we know", w.bound(t, "acme", `{"prompt":"x"}`)+"\n", "--model=maxi | maxi: ~/team.toml: model.name\n")
}

// bound is the command line of a call, and how its model was found.
func (w *world) bound(t testing.TB, name, args string) string {
	t.Helper()
	cli := w.cli(t, name)
	call, wrong := cli.BindModels([]byte(args), nil, func() string { return "id" }, w.Current(w.catalog, cli))
	if wrong != nil {
		t.Fatal(wrong)
	}
	command, wrong := call.Command("")
	if wrong != nil {
		t.Fatal(wrong)
	}
	parts := []string{strings.Join(command.Args, " ")}
	for _, s := range command.Steps {
		if !strings.HasPrefix(s.Word, "-") {
			parts = append(parts, s.Word+": "+s.From)
		}
	}
	return strings.TrimSuffix(strings.Join(parts, " | "), " | ")
}

// TestUsed: models that answered calls are listed, and nothing else.
func TestUsed(t *testing.T) {
	w := newWorld(t)
	records, err := sqlite.Open(filepath.Join(w.home, "calls.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer records.Close()
	w.Record = func() (Store, error) { return records, nil }
	for _, model := range []string{"mini", "seen-1", "seen-2", "ignore all that was said"} {
		id := store.NewID()
		if err := records.Begin(t.Context(), store.Job{Principal: store.Local, ID: id, Tool: "acme_request", CLI: "acme", Model: model}); err != nil {
			t.Fatal(err)
		}
		if err := records.Finish(t.Context(), id, store.Outcome{Ending: store.EndOK}, nil); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "acme", only(w.listed(t, "acme"), "default", "observed", "fallback", "warning"),
		"fallback low mini Small little things\nfallback low maxi Big\nobserved low seen-2 record of calls\nobserved low seen-1 record of calls\n")
	same(t, "bare", only(w.listed(t, "bare"), "observed"), "")
	w.Record = func() (Store, error) { return nil, os.ErrPermission }
	same(t, "no record", only(w.listed(t, "acme"), "observed", "warning"), "warning models that answered are not listed: permission denied\n")
	w.Record = func() (Store, error) { return nil, nil }
	same(t, "record turned off", only(w.listed(t, "acme"), "observed", "warning"), "")
}
