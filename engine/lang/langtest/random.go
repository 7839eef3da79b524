// Package langtest makes specs for tests.
//
// It must not know what becomes of them: the tests of the compiler use it.
package langtest

import (
	"math/rand/v2"

	"github.com/llm-cli-gateway/gateway/engine/lang"
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
		p.NoFlag = "--no-" + name
	}
	if one(6) {
		p.Group = "root"
	}
	if one(6) {
		p.Modes = []lang.Mode{[]lang.Mode{lang.New, lang.Resume, lang.Latest}[r.IntN(3)]}
	}
	if one(12) {
		p.Required = true
	}
	return p
}

// RandomCLI is a CLI with two parameters of any fields that the language has, sensible
// together or not.
func RandomCLI(r *rand.Rand) lang.CLISpec {
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
