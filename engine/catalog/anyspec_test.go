package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// randomParam takes any fields that the language has, sensible together or not.
func randomParam(r *rand.Rand, name string) lang.ParamSpec {
	one := func(n int) bool { return r.IntN(n) == 0 }
	pick := func(options ...string) string { return options[r.IntN(len(options))] }
	p := lang.ParamSpec{Doc: "x", Type: pick("", "", "string", "bool", "int", "number", "list", "list")}
	switch r.IntN(7) {
	case 0, 1:
		p.Flag = "--" + name
	case 2:
		p.Flag = "-" + name
	case 3:
		p.Words = []string{"--words-" + name, "w"}
	case 4:
		p.Env = "ENV_" + name
	case 5:
		p.Enum, p.Values = []string{"a", "b"}, map[string][]string{"a": {"-a" + name}, "b": {"b", name}}
	}
	if one(5) {
		p.Style = pick("eq", "sep")
	}
	if one(5) {
		p.Value = pick("k={json}", "{json}", "k={raw}", "-{raw}", "{raw}x", "k=v", "{json}{raw}")
	}
	if one(4) {
		p.Each = true
	}
	if one(6) {
		p.Sep = pick(";", "::", "-", " ")
	}
	if one(6) {
		p.Enum = []string{"a", "b"}
	}
	if one(9) {
		p.Enum = []string{"--evil", "x"}
	}
	if one(8) {
		p.Pattern = pick("^[a-z-]+$", "[a-z]", ".")
	}
	if one(6) {
		p.Default = []any{"a", "--evil", true, 3.0, []any{"a"}, []any{"-b"}}[r.IntN(6)]
	}
	if one(8) {
		p.Off = "--no-" + name
	}
	if one(6) {
		p.At = "root"
	}
	if one(6) {
		p.Modes = []lang.Mode{[]lang.Mode{lang.New, lang.Resume, lang.Latest}[r.IntN(3)]}
	}
	if one(12) {
		p.Required = true
	}
	return p
}

func randomCLI(r *rand.Rand) lang.CLISpec {
	cli := lang.CLISpec{Bin: "acme"}
	words := []string{"run", "{session}", "{params}", "{params.root}"}
	if r.IntN(3) == 0 {
		words = append(words, "--")
	}
	names := []string{"p", "q"}
	params := lang.Map[lang.ParamSpec]{}
	for i, name := range names {
		p := randomParam(r, name)
		if p.Flag == "" && p.Words == nil && p.Values == nil && p.Env == "" || r.IntN(12) == 0 {
			words = append(words, "{"+name+"}")
		}
		switch other := names[1-i]; r.IntN(10) {
		case 0:
			p.Conflicts = []string{other}
		case 1:
			p.Requires = []string{other}
		}
		params.Set(name, p)
	}
	cli.Params = params
	switch r.IntN(4) {
	case 0:
		cli.Prompt = lang.PromptSpec{Via: "arg", Flag: []string{"", "-P", "--prompt"}[r.IntN(3)]}
		words = append(words, "{prompt}")
	case 1:
		r.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	}
	cli.Argv.New = words
	cli.Session = lang.SessionSpec{Create: []string{"--id={id}"}, Resume: []string{"-r", "{id}"}, Latest: []string{"--last"}}
	return cli
}

// TestAnySpec makes specs at random. Whatever the compiler lets through must keep
// hostile values from being options, and must not drop an argument in silence.
func TestAnySpec(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	specs, good, calls := 12_000, 0, 0
	if testing.Short() {
		specs = 1_000
	}
	for range specs {
		spec := &lang.Spec{CLI: lang.MapOf("acme", randomCLI(r))}
		catalog, _ := Compile(spec)
		if catalog == nil {
			continue
		}
		good++
		cli := catalog.CLIs[0]
		judge := newJudge(cli)
		for range 12 {
			var args bytes.Buffer
			randomArgs(r, cli, &args)
			cmd, fault := judge.check(cli, args.Bytes())
			if fault == "" && cmd != nil {
				calls++
				fault = dropped(cli, args.Bytes(), *cmd)
			}
			if fault != "" {
				text, _ := json.Marshal(spec)
				t.Fatalf("%s\n%s\n%s", text, args.Bytes(), fault)
			}
		}
	}
	if good < specs/20 || calls < good {
		t.Errorf("%d of %d specs were good, %d calls: the test sees too little", good, specs, calls)
	}
}

// dropped names an argument without which the command is the same.
func dropped(cli *CLI, args []byte, with Command) string {
	var given map[string]any
	if err := json.Unmarshal(args, &given); err != nil {
		return err.Error()
	}
	for _, p := range cli.params {
		v, ok := given[p.Name]
		if !ok || p.role != "" || !p.writes(v) || v == p.Default || p.Default != nil {
			continue
		}
		less := maps.Clone(given)
		delete(less, p.Name)
		call, violations := cli.Bind(text.MustJSON(less), nil, ids())
		if violations != nil {
			continue
		}
		without, violations := call.Command("/private")
		if violations == nil && slices.Equal(without.Args, with.Args) && maps.Equal(without.Env, with.Env) {
			return fmt.Sprintf("%s is dropped from %q", p.Name, with.Args)
		}
	}
	return ""
}
