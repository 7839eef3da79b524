package real

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// place is where the tests of access let a program run.
type place struct {
	t                           *testing.T
	home, work, outside, traces string
}

// newPlace makes one. Outside of the working directory is also outside of the folder for
// temporary files.
func newPlace(t *testing.T) place {
	p := place{t: t, home: newHome(t), outside: newHome(t), traces: t.TempDir()}
	p.work = filepath.Join(newHome(t), "repo")
	p.write(filepath.Join(p.home, "tmp", ".keep"), "")
	p.write(filepath.Join(p.work, "inside.md"), insideText)
	p.write(filepath.Join(p.outside, "outside.md"), outsideText)
	p.write(filepath.Join(p.work, "sub", ".keep"), "")
	for _, args := range [][]string{{"init", "-q"}} {
		git(p, args...)
	}
	return p
}

const insideText, outsideText = "text-of-a-file-inside-0815", "text-of-a-file-outside-0815"

func (p place) write(path, text string) {
	p.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p place) trace(name string) string { return filepath.Join(p.traces, name) }

// leaves is a command that leaves a file behind.
func (p place) leaves(name string) string { return "touch " + p.trace(name) }

func (p place) server(name string) map[string]any {
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	return map[string]any{"command": self, "args": []string{serverSwitch, name, p.trace("start-" + name)}}
}

// try is one thing that the model tries in each turn.
type try struct {
	Tool string `json:"tool"`
	Args args   `json:"args"`
}

// tries are the same in every program: to write in the working directory, outside and in
// the folder for temporary files, to run a command, to call MCP servers, to read.
func (p place) tries(c cli) (all []try) {
	w := worsts[c.name]
	for _, path := range []string{filepath.Join(p.work, "wrote"), filepath.Join(p.outside, "wrote"), filepath.Join(p.home, "tmp", "wrote")} {
		all = append(all, w.write(path))
	}
	all = append(all, w.run("touch "+p.work+"/ran"), w.run("touch "+p.outside+"/ran"), w.run("git status"))
	for _, server := range []string{"mine", "repo", "given"} {
		all = append(all, w.call(server))
	}
	return append(all, w.read(filepath.Join(p.outside, "outside.md")), w.read(filepath.Join(p.work, "inside.md")))
}

// worst is the worst that a user and a repository can have set up, and how the model of a
// program tries to make use of it.
type worst struct {
	files func(p place, base map[string]string) // writes both
	env   map[string]string

	write, run, call, read func(what string) try
}

func tool(name, key string, more ...any) func(string) try {
	return func(what string) try {
		a := args{key: what}
		for i := 0; i < len(more); i += 2 {
			a[more[i].(string)] = more[i+1]
		}
		return try{name, a}
	}
}

func git(p place, args ...string) {
	cmd := exec.Command("git", args...)
	cmd.Dir = p.work
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("%v: %s", err, out)
	}
}

func with2(a args, key string, value any) args {
	a[key] = value
	return a
}

// merged adds members to a JSON object.
func merged(text string, more args) string {
	a := args{}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		panic(err)
	}
	maps.Copy(a, more)
	return encode(a)
}
