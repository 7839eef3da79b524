package author

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// TestCompare holds specs against help texts. An archive has the spec, a file for each
// list of words of probe.help, named by them, and the version; a text that begins with
// "error: " is one that cannot be had.
func TestCompare(t *testing.T) {
	langtest.Archives(t, "compare", func(t *testing.T, files map[string]string) string {
		var layers []load.Layer
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if strings.HasSuffix(name, ".cue") {
				layers = append(layers, load.Layer{Name: name, Files: []specfiles.File{{Name: name, Data: []byte(files[name])}}})
			}
		}
		res := load.Load(layers, load.Options{Vet: true})
		if res.Catalog == nil {
			t.Fatal(res.Diagnostics)
		}
		cli, version := res.Catalog.CLIs[0], strings.TrimSpace(files["version"])
		var answers []Answer
		for _, words := range cli.CLISpec.Probe.Help {
			text, ok := files[strings.Join(words, " ")]
			if !ok {
				t.Fatalf("no answer to %q", words)
			}
			answer := Answer{Words: words, Text: text}
			if said, failed := strings.CutPrefix(text, "error: "); failed {
				answer = Answer{Words: words, Err: errors.New(strings.TrimSpace(said))}
			}
			answers = append(answers, answer)
		}
		diags := res.Locate(Compare(cli, version, answers), map[string][]string{cli.Name: cli.Changes(version)})
		for _, d := range diags {
			if d.Line == 0 {
				t.Errorf("no place: %s", d)
			}
		}
		var got bytes.Buffer
		if err := Print(&got, diags, "text"); err != nil {
			t.Fatal(err)
		}
		return got.String()
	})
}
