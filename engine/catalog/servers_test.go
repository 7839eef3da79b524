package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/llm-cli-gateway/gateway/engine/catalog/mcpservers"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// serverCase is what a case of testdata/mcp says of the machine.
type serverCase struct {
	Programs  []string // that are installed
	Variables []string // that are set
	Own       []string // servers that the CLI's own configuration lists
	Broken    string   // what is wrong with that configuration
}

func (c serverCase) surroundings(catalog *Catalog) mcpservers.Sources {
	return mcpservers.Sources{
		Servers: catalog.Servers, Default: catalog.Settings.MCPServers,
		Find: func(bin string) (string, error) {
			if !slices.Contains(c.Programs, bin) {
				return "", fmt.Errorf("the program %q was not found", bin)
			}
			return "/opt/bin/" + bin, nil
		},
		Set: func(name string) bool { return slices.Contains(c.Variables, name) },
		Own: func([]lang.OwnSpec) ([]string, error) {
			if c.Broken != "" {
				return c.Own, errors.New(c.Broken)
			}
			return c.Own, nil
		},
	}
}

// equipped binds the arguments and finds the servers.
func equipped(t testing.TB, catalog *Catalog, args string, machine serverCase) (*Call, Violations) {
	t.Helper()
	call, wrong := catalog.CLIs[0].Bind(json.RawMessage(args), nil, langtest.IDs())
	if wrong == nil {
		wrong = call.SelectServers(machine.surroundings(catalog))
	}
	return call, wrong
}

func TestServers(t *testing.T) {
	langtest.Archives(t, "mcp", func(t *testing.T, files map[string]string) string {
		var machine serverCase
		if err := json.Unmarshal([]byte(files["machine.json"]), &machine); err != nil {
			t.Fatal(err)
		}
		call, wrong := equipped(t, catalogOf(t, files["spec.json"]), files["args.json"], machine)
		var cmd Command
		if wrong == nil {
			cmd, wrong = call.Command("/private")
		}
		var b strings.Builder
		for _, v := range wrong {
			fmt.Fprintf(&b, "refused %s\n", langtest.Shown(Violations{v}.Error()))
		}
		if wrong != nil {
			return b.String()
		}
		for _, word := range cmd.Args {
			fmt.Fprintln(&b, langtest.Shown(word))
		}
		for _, f := range cmd.Files {
			fmt.Fprintf(&b, "file: %s\n%s", f.Name, f.Text)
		}
		for _, name := range slices.Sorted(maps.Keys(cmd.Env)) {
			fmt.Fprintf(&b, "set: %s=%s\n", name, cmd.Env[name])
		}
		if e := call.Servers(); e != nil {
			fmt.Fprintf(&b, "mcp: %s\n", text.MustJSON(e))
		}
		for _, note := range call.Servers().Notes() {
			fmt.Fprintln(&b, "note:", note)
		}
		if names := call.Servers().Variables(); names != nil {
			fmt.Fprintln(&b, "variables:", names)
		}
		return b.String()
	})
}

const (
	byFile  = `"mcp":{"words":["--mcp={file}"],"strict":["--only"],"file":{"name":"mcp.json","body":{"servers":"{servers}"},"server":{"run":"{command}","with":"{args}","env":"{env}"}}}`
	byWords = `"mcp":{"each":["-c","s.{name}.run={command}","-c","s.{name}.with={args}","{env}"]}`
	byNames = `"mcp":{"each":["--allow","{name}"],"own":[{"path":"~/x","key":"k"}]}`
)

func taking(how string, more string) string {
	return `{"cli":{"acme":{"bin":"acme","argv":["{mcp}","{params}"],"session":{"create":["--id={id}"],"resume":["{id}"]},` + how + `}}` + more + `}`
}

// TestHostileServers gives hostile names, known and unknown, to CLIs of every kind.
func TestHostileServers(t *testing.T) {
	for _, how := range []string{byFile, byWords, byNames} {
		body := strings.Replace(taking(how, ""), `"argv":["{mcp}","{params}"],`, `"argv":["{mcp}","{params}","{session}"],`, 1)
		catalog, accepted := catalogOf(t, body), 0
		for _, name := range append(slices.Clone(pool), "a b", "../x", "a=b", "a\"b", "a'b", "Ä", "x\u202e", strings.Repeat("a", 65), "a.b", "a-b_c") {
			for _, strict := range []string{"true", "false"} {
				args := fmt.Sprintf(`{"prompt":"x","mcpServers":["ok",%s],"strictMcpConfig":%s}`, text.MustJSON(name), strict)
				call, wrong := equipped(t, catalog, args, serverCase{Own: []string{"ok", name}, Programs: []string{"ok"}})
				if wrong != nil {
					continue
				}
				cmd, wrong := call.Command("/private")
				if wrong != nil {
					t.Errorf("%q: %v", name, wrong)
				}
				accepted++
				for _, word := range cmd.Args {
					if strings.HasPrefix(word, "-") && !slices.Contains([]string{"--mcp=/private/mcp.json", "--only", "--allow", "-c", "--id=id-1"}, word) {
						t.Errorf("%q: %q stands as an option in %q", name, word, cmd.Args)
					}
				}
				if how == byNames && len(cmd.Args) != 5 {
					t.Errorf("%q: %q", name, cmd.Args)
				}
			}
		}
		if accepted == 0 {
			t.Errorf("%s: no name is accepted: the test sees nothing", how)
		}
	}
}

// FuzzServerArgument holds that an argument of a server arrives as it is, in a file and
// in words, or is refused when the spec is compiled.
func FuzzServerArgument(f *testing.F) {
	for _, s := range append(slices.Clone(pool), `"`, `\`, `a"],"x":["b`, "{args}", "{name}", "{json}", "${A}", "\x7f", "<&>", "'''") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		for _, how := range []string{byFile, byWords} {
			var s lang.Spec
			more := `,"mcp":{"one":{"command":"one","args":["a",` + string(text.MustJSON(arg)) + `]}}`
			if err := json.Unmarshal([]byte(strings.Replace(taking(how, more), `"{params}"]`, `"{params}","{session}"]`, 1)), &s); err != nil {
				t.Fatal(err)
			}
			one, _ := s.MCP.Get("one")
			arg := one.Args[1] // what was no UTF-8 is another text now
			catalog, problems := Compile(&s)
			if catalog == nil {
				if !strings.Contains(arg, "${") && !strings.ContainsFunc(arg, func(r rune) bool { return !unicode.IsGraphic(r) }) {
					t.Fatalf("%q: %v", arg, problems)
				}
				continue
			}
			call, wrong := equipped(t, catalog, `{"prompt":"x","mcpServers":["one"]}`, serverCase{Programs: []string{"one"}})
			if wrong != nil {
				t.Fatal(wrong)
			}
			cmd, wrong := call.Command("/private")
			if wrong != nil {
				if len(arg) < MaxWordBytes/8 {
					t.Fatal(wrong)
				}
				continue
			}
			var got []string
			if how == byFile {
				var file struct {
					Servers map[string]struct{ With []string }
				}
				if err := json.Unmarshal([]byte(cmd.Files[0].Text), &file); err != nil {
					t.Fatalf("%v: %s", err, cmd.Files[0].Text)
				}
				got = file.Servers["one"].With
			} else {
				text, _ := strings.CutPrefix(cmd.Args[3], "s.one.with=")
				if err := json.Unmarshal([]byte(text), &got); err != nil {
					t.Fatalf("%v: %s", err, cmd.Args[3])
				}
			}
			if !slices.Equal(got, []string{"a", arg}) {
				t.Fatalf("%q arrives as %q", arg, got)
			}
		}
	})
}

// TestCanonicalServers: calls are compared by their servers, whatever the order of the names
// and wherever the files lie.
func TestCanonicalServers(t *testing.T) {
	definitions := `,"mcp":{"one":{"command":"one","args":["x"]},"two":{"command":"two"}}`
	other := strings.Replace(definitions, `"x"`, `"y"`, 1)
	machine := serverCase{Programs: []string{"one", "two"}}
	alike := func(how, definitions, args string) string {
		t.Helper()
		body := strings.Replace(taking(how, definitions), `"{params}"]`, `"{params}","{session}"]`, 1)
		call, wrong := equipped(t, catalogOf(t, body), args, machine)
		if wrong != nil {
			t.Fatal(wrong)
		}
		_, cmd, wrong := call.Canonical()
		if wrong != nil {
			t.Fatal(wrong)
		}
		return string(text.MustJSON([]any{cmd.Args, cmd.Files}))
	}
	for _, how := range []string{byFile, byWords} {
		both := alike(how, definitions, `{"prompt":"x","mcpServers":["one","two"]}`)
		if got := alike(how, definitions, `{"prompt":"x","mcpServers":["two","one","two"]}`); got != both {
			t.Errorf("in another order: %s, not %s", got, both)
		}
		for what, got := range map[string]string{
			"one server":         alike(how, definitions, `{"prompt":"x","mcpServers":["one"]}`),
			"none":               alike(how, definitions, `{"prompt":"x","mcpServers":[]}`),
			"not asked":          alike(how, definitions, `{"prompt":"x"}`),
			"another definition": alike(how, other, `{"prompt":"x","mcpServers":["one","two"]}`),
		} {
			if got == both {
				t.Errorf("%s makes the same call: %s", what, got)
			}
		}
	}
}
