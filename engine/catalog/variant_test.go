package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

// TestAt: one CLI serves all versions at once, and is itself not changed by it.
func TestAt(t *testing.T) {
	text := langtest.Text(t, map[string]string{"spec": "ranged"})
	for _, vetted := range []bool{false, true} {
		catalog, problems := Recompile(langtest.Read(t, text), Known{Vetted: func(string, string) bool { return vetted }})
		if catalog == nil {
			t.Fatal(problems)
		}
		cli := catalog.CLIs[0]
		before := string(cli.Describe().Input)
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				installed, want := fmt.Sprintf("%d.%d", i%8, i/8), "--level=a"
				switch {
				case i%8 == 0 || i%8 == 1 && i/8 < 5:
					want = "--old-level=a"
				case i%8 >= 4:
					want = "-m a"
				}
				call, violations := cli.At(installed).Bind(json.RawMessage(`{"prompt":"x","level":"a"}`), nil, langtest.IDs())
				if violations != nil {
					t.Error(violations)
					return
				}
				cmd, _ := call.Command("")
				if got := strings.Join(cmd.Args, " "); !strings.Contains(got+" ", want+" ") {
					t.Errorf("%s: %s, want %s", installed, got, want)
				}
				if call.CLI.Installed().String() != installed || call.CLI.At("0.1") != call.CLI {
					t.Errorf("%s: chosen for %s", installed, call.CLI.Installed())
				}
			})
		}
		all.Wait()
		if !cli.Ranged() || cli.Installed().Known() || string(cli.Describe().Input) != before {
			t.Error("the CLI itself was changed")
		}
		if got := cli.Changes("1.4"); !slices.Equal(got, []string{"<1.5"}) || cli.Changes("2") != nil || !slices.Equal(cli.Changes(""), []string{">=4"}) {
			t.Errorf("changes: %q", got)
		}
		if plain := compiled(t, langtest.Text(t, map[string]string{"spec": "acme"})); plain.Ranged() || plain.At("1.2.3") != plain {
			t.Error("a CLI without ranges is copied")
		}
	}
}

// TestOutputOfAVersion: what a program of an old version printed is read as that version
// prints, also when the call is known from its record only.
func TestOutputOfAVersion(t *testing.T) {
	cli := compiled(t, []byte(`{"bin":"acme","argv":[],"version":{"argv":["-v"]},"output":{"format":"jsonl","text":"event.text"},"versions":{"<2":{"output":{"text":"event.answer"}}}}`))
	for installed, want := range map[string]string{"1.9": "old", "2.0": "new", "": "new"} {
		call, violations := cli.At(installed).Bind(json.RawMessage(`{"prompt":"x"}`), nil, langtest.IDs())
		if violations != nil {
			t.Fatal(violations)
		}
		for _, c := range []*Call{call, cli.At(call.CLI.Installed().String()).RestoreCall(call.Mode, "", call.Arguments())} {
			answer, err := c.Decode(extract.Run{Stdout: strings.NewReader(`{"text":"new","answer":"old"}`)})
			if err != nil || answer.Text != want {
				t.Errorf("%q: %+v, %v", installed, answer, err)
			}
		}
	}
}
