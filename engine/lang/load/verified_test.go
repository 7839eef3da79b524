package load

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang/kept"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/specs"
)

// saved is a file of what a load of layers verified.
func saved(t testing.TB, layers ...Layer) string {
	t.Helper()
	var m Memory
	mustLoad(t, Options{Memory: &m}, layers...)
	name := filepath.Join(t.TempDir(), "verified")
	if err := m.Save(name); err != nil {
		t.Fatal(err)
	}
	return name
}

// asked reports whether a load with what was restored from the file asked CUE anything.
func asked(t *testing.T, name string, layers ...Layer) bool {
	t.Helper()
	var m Memory
	m.Restore(name)
	mustLoad(t, Options{Memory: &m}, layers...)
	return m.verifier.Load() != nil
}

func TestWhatWasVerifiedIsNotVerifiedAgain(t *testing.T) {
	base := many(2, ".cue")
	name := saved(t, base)
	if asked(t, name, base) {
		t.Error("CUE was asked about entries that it had accepted")
	}
	if info, err := os.Stat(name); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	base.Files[1].Data = []byte(strings.Replace(string(base.Files[1].Data), "Parameter 3", "Parameter three", 1))
	if !asked(t, name, base) {
		t.Error("a changed entry was not verified")
	}
}

// TestVerifiedChangesNothing walks through states of a user's file, good and broken ones,
// each loaded by a process that restores what the one before saved, and by one that does
// not.
func TestVerifiedChangesNothing(t *testing.T) {
	base := many(2, ".cue")
	base.Files = append(base.Files, specfiles.File{Name: "common.cue", Data: []byte(`policy: strict: {approve: 5}, mcp: files: {command: "files"}`)})
	snapshot := snapshotOf(t, base)
	name := filepath.Join(t.TempDir(), "verified")
	for i, text := range edits {
		layers := []Layer{base, layer("a.cue", text), layer("b.cue", edits[i*7%len(edits)])}
		want := Load(layers, Options{Snapshot: snapshot})
		var m Memory
		m.Restore(name)
		got := Load(layers, Options{Snapshot: snapshot, Memory: &m})
		if !reflect.DeepEqual(got.Diagnostics, want.Diagnostics) || !reflect.DeepEqual(got.Spec, want.Spec) {
			t.Fatalf("%q:\ngot  %v\nwant %v", text, got.Diagnostics, want.Diagnostics)
		}
		if err := m.Save(name); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFilesThatAreNotRestored(t *testing.T) {
	base := many(1, ".cue")
	good := saved(t, base)
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"empty":         "",
		"another build": strings.Replace(string(text), "verified specs ", "verified specs 0", 1),
		"no checksum":   string(text) + "x\n",
		"too long":      string(text) + strings.Repeat("a", 66) + "\n",
		"cut":           string(text[:len(text)-10]),
		"endless line":  strings.Repeat("a", 100_000),
	} {
		file := filepath.Join(t.TempDir(), "verified")
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if !asked(t, file, base) {
			t.Errorf("%s: it was restored", name)
		}
	}
	for name, file := range map[string]string{"missing": filepath.Join(t.TempDir(), "x"), "a folder": t.TempDir()} {
		if !asked(t, file, base) {
			t.Errorf("%s: it was restored", name)
		}
	}
}

func TestFilesOfOthersAreNotRestored(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a mode does not tell who can write a file")
	}
	base := many(1, ".cue")
	for name, spoil := range map[string]func(file string) error{
		"group can write":    func(file string) error { return os.Chmod(file, 0o660) },
		"everyone can write": func(file string) error { return os.Chmod(file, 0o606) },
		"open folder":        func(file string) error { return os.Chmod(filepath.Dir(file), 0o777) },
		"another owner": func(file string) error {
			if os.Geteuid() != 0 {
				return os.Chmod(file, 0o666) // only root can give a file away
			}
			return os.Chown(file, 1, 1)
		},
	} {
		file := saved(t, base)
		if asked(t, file, base) {
			t.Fatal("the good file was not restored")
		}
		if err := spoil(file); err != nil {
			t.Fatal(err)
		}
		if !asked(t, file, base) {
			t.Errorf("%s: it was restored", name)
		}
	}
}

func TestSaveKeepsWhatOthersVerified(t *testing.T) {
	mine, theirs := many(1, ".cue"), many(2, ".cue")
	theirs.Files = theirs.Files[1:]
	name := saved(t, mine)
	var m Memory
	m.Restore(name)
	mustLoad(t, Options{Memory: &m}, theirs)
	if err := m.Save(name); err != nil {
		t.Fatal(err)
	}
	if asked(t, name, mine) || asked(t, name, theirs) {
		t.Error("one gateway made another verify again")
	}
}

func TestSaveIsBounded(t *testing.T) {
	name := filepath.Join(t.TempDir(), "verified")
	base := many(1, ".cue")
	var m Memory
	m.restored = map[sum]bool{}
	for i := range 2 * kept.MaxSums {
		m.restored[sum{byte(i), byte(i >> 8)}] = true
	}
	mustLoad(t, Options{Memory: &m}, base)
	if err := m.Save(name); err != nil {
		t.Fatal(err)
	}
	if restored := kept.ReadSums(name); len(restored) != kept.MaxSums || asked(t, name, base) {
		t.Errorf("%d entries are kept", len(restored))
	}
	before := maps.Clone(m.restored)
	if err := m.Save(filepath.Join(name, "no folder")); err != nil || !maps.Equal(before, m.restored) {
		t.Errorf("it saves what was saved: %v", err)
	}
}

// BenchmarkStart is a load of a process that just started, with one file of a user's:
// verified anew, and restored.
func BenchmarkStart(b *testing.B) {
	layers := []Layer{builtin(b), many(1, ".cue")}
	name := filepath.Join(b.TempDir(), "verified")
	o := Options{Snapshot: specs.Snapshot(), Memory: &Memory{}}
	mustLoad(b, o, layers...)
	if err := o.Memory.Save(name); err != nil {
		b.Fatal(err)
	}
	for _, file := range []string{name, os.DevNull} {
		b.Run(fmt.Sprint("restored=", file == name), func(b *testing.B) {
			for b.Loop() {
				o.Memory = &Memory{}
				o.Memory.Restore(file)
				mustLoad(b, o, layers...)
			}
		})
	}
}
