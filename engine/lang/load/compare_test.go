package load

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestCompare holds specs against help texts. An archive has the spec, a file for each
// list of words of probe.help, named by them, and the version; a text that begins with
// "error: " is one that cannot be had.
func TestCompare(t *testing.T) {
	archives(t, "compare", 10, func(t *testing.T, name string, a *txtar.Archive) {
		files := map[string]string{}
		var layers []Layer
		for _, f := range a.Files {
			files[f.Name] = string(f.Data)
			if strings.HasSuffix(f.Name, ".cue") {
				layers = append(layers, Layer{Name: f.Name, Files: []File{{f.Name, f.Data}}})
			}
		}
		res := Load(layers, Options{Vet: true})
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
		golden(t, name, a, got.Bytes())
	})
}
