package load

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// counted is a load, in a process that restores what is in the file, and how many files it
// had evaluated. What it evaluated it saves.
func counted(t *testing.T, name string, layers ...Layer) (res Result, files int) {
	t.Helper()
	var m Memory
	m.RestoreEvaluated(name)
	res = Load(layers, Options{Memory: &m, Evaluator: func(f specfiles.File, _ Limits) ([]byte, error) {
		files++
		return EvaluateFile(f), nil
	}})
	if err := m.SaveEvaluated(name); err != nil {
		t.Fatal(err)
	}
	return res, files
}

const computedCUE = `_n: "acme"
cli: (_n): {bin: _n, argv: [], sesion: {}}
`

// TestWhatWasEvaluatedIsNotEvaluatedAgain, if name and text are the same, and it is found
// to be the same.
func TestWhatWasEvaluatedIsNotEvaluatedAgain(t *testing.T) {
	name := filepath.Join(t.TempDir(), "evaluated")
	plain := layer("b.cue", acmeCUE)
	want := Load([]Layer{layer("a.cue", computedCUE)}, Options{}).Diagnostics
	for i, c := range []struct {
		layers []Layer
		files  int
	}{
		{[]Layer{layer("a.cue", computedCUE)}, 1},
		{[]Layer{layer("a.cue", computedCUE)}, 0},
		{[]Layer{layer("b.cue", computedCUE)}, 1},
		{[]Layer{layer("a.cue", computedCUE+"\n")}, 1},
		{[]Layer{layer("a.cue", computedCUE)}, 0}, // kept beside the others
		{[]Layer{plain}, 0},
		{[]Layer{{Files: layer("a.cue", computedCUE).Files, Afresh: true}}, 1},
		{[]Layer{{Files: layer("a.cue", computedCUE).Files, Known: true}}, 0},
	} {
		res, files := counted(t, name, c.layers...)
		if files != c.files {
			t.Errorf("%d: %d files were evaluated", i, files)
		}
		if c.layers[0].Files[0].Name == "a.cue" && (len(res.Diagnostics) != 1 || res.Diagnostics[0] != want[0]) {
			t.Errorf("%d: %v", i, res.Diagnostics)
		}
	}
	if info, err := os.Stat(name); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestDamagedEvaluatedFiles are not restored, and no load fails for them.
func TestDamagedEvaluatedFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "evaluated")
	counted(t, name, layer("a.cue", computedCUE))
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for what, bad := range map[string][]byte{
		"empty": nil, "cut": good[:len(good)-1], "longer": append(bytes.Clone(good), 'x'), "no body": good[:bytes.IndexByte(good, '\n')+1],
		"another format": append([]byte("x"), good...), "changed": bytes.Replace(good, []byte("sesion"), []byte("sesiom"), 1),
	} {
		if err := os.WriteFile(name, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, files := counted(t, name, layer("a.cue", computedCUE)); files != 1 {
			t.Errorf("%s: it was restored", what)
		}
	}
}

// TestWhatWasNotEvaluatedIsNotKept: neither for the next load nor for the next process.
func TestWhatWasNotEvaluatedIsNotKept(t *testing.T) {
	var m Memory
	name := filepath.Join(t.TempDir(), "evaluated")
	for i, failure := range []error{ErrTime, ErrMemory, ErrTime} {
		asked := false
		res := Load([]Layer{layer("a.cue", computedCUE)}, Options{Memory: &m, Evaluator: func(specfiles.File, Limits) ([]byte, error) { asked = true; return nil, failure }})
		if !asked || !diagnostic.Failed(res.Diagnostics) {
			t.Errorf("%d: %v", i, res.Diagnostics)
		}
	}
	if err := m.SaveEvaluated(name); err != nil {
		t.Fatal(err)
	}
	if _, files := counted(t, name, layer("a.cue", computedCUE)); files != 1 {
		t.Error("it was kept")
	}
}
