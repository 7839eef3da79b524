package author

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// TestDraft makes a spec of each help text, in both languages: what is wrong with it is
// told of parameters only, which can be left out, and both say the same.
func TestDraft(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("testdata", "help", "*.txt"))
	if err != nil || len(names) < 5 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		help := ParseHelp(string(text))
		said := map[bool]string{}
		for _, yaml := range []bool{false, true} {
			d := Draft{Name: "juno", Bin: "juno", Command: []string{"run"}, Help: &help, YAML: yaml, Without: map[string]string{}}
			file := specfiles.File{Name: "juno.cue"}
			if yaml {
				file.Name = "juno.yaml"
			}
			for range 20 {
				file.Data = d.Write()
				result := load.Load([]load.Layer{{Files: []specfiles.File{file}}}, load.Options{Vet: true})
				if len(result.Diagnostics) == 0 {
					spec, err := json.Marshal(result.Spec)
					if err != nil {
						t.Fatal(err)
					}
					said[yaml] = string(spec)
					break
				}
				for _, diag := range result.Diagnostics {
					param, inside := strings.CutPrefix(diag.Path, "cli.juno.params.")
					param, _, _ = strings.Cut(param, ".")
					if !inside || d.Without[param] != "" {
						t.Fatalf("%s: %v\n%s", name, diag, file.Data)
					}
					d.Without[param] = diag.Message
				}
			}
			if formed, diags := load.Format(file, false, load.Evaluation{}); diags != nil || yaml && string(formed) != string(file.Data) {
				t.Errorf("%s: %v", name, diags)
			}
		}
		if said[false] == "" || said[false] != said[true] {
			t.Errorf("%s\nCUE:  %s\nYAML: %s", name, said[false], said[true])
		}
	}
}

// TestReckless: options by which agents stop asking are known by their looks.
func TestReckless(t *testing.T) {
	for _, c := range []struct {
		option HelpOption
		danger string // as it stands in the line; "" for none
	}{
		{HelpOption{Names: []string{"--dangerously-skip-permissions"}, Doc: "x"}, "danger: true"},
		{HelpOption{Names: []string{"-y", "--yolo"}, Doc: "x"}, "danger: true"},
		{HelpOption{Names: []string{"--go"}, Doc: "Run tools without asking"}, "danger: true"},
		{HelpOption{Names: []string{"--allow-tool"}, Value: "<tool>", List: true, Doc: "x"}, "danger: true"},
		{HelpOption{Names: []string{"--trust-folder"}, Doc: "x"}, "danger: true"},
		{HelpOption{Names: []string{"--sandbox"}, Value: "<m>", Values: []string{"read-only", "danger-full-access"}, Doc: "x"}, `danger: ["danger-full-access"]`},
		{HelpOption{Names: []string{"--deny-tool"}, Value: "<tool>", Doc: "Tools that may not run; will not prompt"}, ""},
		{HelpOption{Names: []string{"--model"}, Value: "<m>", Doc: "Model"}, ""},
		{HelpOption{Names: []string{"--color"}, Doc: "Colours"}, ""},
	} {
		_, line, why := param(&Help{}, c.option)
		if why != "" && c.option.Names[0] != "--sandbox" || strings.Contains(line, "danger:") != (c.danger != "") || !strings.Contains(line, c.danger) {
			t.Errorf("%v: %s %s", c.option.Names, line, why)
		}
	}
}
