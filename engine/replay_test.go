//go:build unix

package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/session"
)

// replayed is what a program printed once, to be printed again by one that takes its
// place: in the conversation that its command line names, else in a new one, or in the
// newest.
type replayed struct {
	Stdout  string
	ID      string   // of the conversation, as it is printed
	Version []string // words that ask for the version
	Latest  []string // words that ask for the newest conversation
}

var uuid = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// replay is a run of the program that a file describes. It does not return but to fail.
func replay(file string, words []string) error {
	text, err := os.ReadFile(file)
	var r replayed
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return err
	}
	if slices.Equal(words, r.Version) {
		fmt.Println("1.2.3")
		syscall.Exit(0)
	}
	newest := file + ".newest"
	id := uuid.FindString(strings.Join(words, "\n"))
	if id == "" && len(r.Latest) > 0 && slices.Contains(words, r.Latest[0]) {
		last, err := os.ReadFile(newest)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		id = string(last)
	}
	if id == "" {
		id = session.NewID()
	}
	if err := os.WriteFile(newest+"~"+id, []byte(id), 0o600); err != nil {
		return err
	}
	if err := os.Rename(newest+"~"+id, newest); err != nil {
		return err
	}
	fmt.Print(strings.ReplaceAll(r.Stdout, r.ID, id))
	syscall.Exit(0)
	return nil
}

// populated is a gateway with the built-in specs and one of a user's own, on a machine
// where each of their programs answers as the real one did. CLIs of which no good answer
// was captured are taken away.
func populated(t *testing.T) *engine.Engine {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home, programs := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	own, err := os.ReadFile("testdata/requests/juno.cue")
	if err != nil {
		t.Fatal(err)
	}
	specs := string(own) + fmt.Sprintf("\ngateway: {path: [], jobs: syncMs: 0}\nmcp: {exa: command: %[1]q, sqry: command: %[1]q, ref_tools: command: %[1]q, trstr: command: %[1]q}\n", self)
	cat := engine.Load(t.Context(), []string{folder(t, t.TempDir(), "own.cue", specs)}, nil, false).Catalog
	for _, cli := range cat.CLIs {
		r, ok := captured(t, cli)
		if !ok {
			specs += fmt.Sprintf("cli: %s: null\n", cli.Name)
			continue
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(programs, cli.Name+".json")
		script := fmt.Sprintf("#!/bin/sh\n%s=1 exec %s 'replay=%s' \"$@\"\n", fakeSwitch, lang.ShellWord(self), file)
		for name, text := range map[string]string{file: string(text), filepath.Join(programs, cli.Bin): script} {
			if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		for _, place := range cli.MCP.Own {
			if rest, ok := strings.CutPrefix(place.Path, "~/"); ok && !strings.Contains(rest, "*") {
				folder(t, filepath.Join(home, filepath.Dir(rest)), filepath.Base(rest), fmt.Sprintf(`{%q: {"exa": {}, "sqry": {}, "ref_tools": {}, "trstr": {}}}`, place.Key))
			}
		}
	}
	e, diags := engine.Open(engine.Options{Specs: []string{folder(t, t.TempDir(), "own.cue", specs)}, Environ: []string{"HOME=" + home, "PATH=" + programs + ":" + os.Getenv("PATH")}, Version: "test"})
	if e == nil {
		t.Fatal(diags)
	}
	t.Cleanup(func() { e.Close() })
	if len(e.Catalog().CLIs) < 6 {
		t.Fatalf("only %d CLIs", len(e.Catalog().CLIs))
	}
	return e
}

// captured is a good answer of a CLI.
func captured(t *testing.T, cli *catalog.CLI) (r replayed, ok bool) {
	t.Helper()
	r.Version, r.Latest = cli.Version.Argv, cli.Session.Latest
	text, err := os.ReadFile(filepath.Join("testdata", "requests", cli.Name+".jsonl"))
	if err == nil {
		r.Stdout, r.ID = string(text), uuid.FindString(string(text))
		return r, true
	}
	archive, err := txtar.ParseFile(filepath.Join("..", "testdata", "decode", cli.Name, "ok.txtar"))
	if err != nil {
		return r, false
	}
	for _, f := range archive.Files {
		switch f.Name {
		case "stdout":
			r.Stdout = string(f.Data)
		case "want":
			for line := range strings.Lines(string(f.Data)) {
				if id, ok := strings.CutPrefix(line, "session: "); ok {
					r.ID = uuid.FindString(id)
				}
			}
		}
	}
	return r, r.ID != "" && r.Stdout != ""
}
