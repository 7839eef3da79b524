package real

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// place is where the tests of access let a program run: a HOME, a repository, and a
// directory outside of both and of the folder for temporary files.
type place struct {
	t                           *testing.T
	home, work, outside, traces string
}

// Texts that the model gets to see when it may read.
const insideText, outsideText = "text-of-a-file-inside-0815", "text-of-a-file-outside-0815"

func newPlace(t *testing.T) place {
	p := place{t: t, home: newHome(t), work: filepath.Join(newHome(t), "repo"), outside: newHome(t), traces: t.TempDir()}
	p.write(filepath.Join(p.work, "inside.md"), insideText)
	p.write(filepath.Join(p.outside, "outside.md"), outsideText)
	init := exec.Command("git", "init", "-q")
	init.Dir = p.work
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return p
}

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

func (p place) server(name string) args {
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	return args{"command": self, "args": []string{serverSwitch, name, p.trace("start " + name)}}
}

func having(a args, key string, value any) args {
	a[key] = value
	return a
}

// merged adds members to a JSON object.
func (p place) merged(text string, more args) string {
	a := args{}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		p.t.Fatal(err)
	}
	maps.Copy(a, more)
	return encode(a)
}

// try is a call of a tool that the model makes in each turn, whether it has the tool or not.
type try struct {
	Tool string `json:"tool"`
	Args args   `json:"args"`
}

// named makes tries of a tool: one argument says what is tried.
func named(tool, key string, more args) func(string) try {
	return func(what string) try {
		a := args{key: what}
		maps.Copy(a, more)
		return try{tool, a}
	}
}

// tries are what the model of every program tries: to write inside, outside and into the
// folder for temporary files, to run commands, to call MCP servers, to read.
func (w worst) tries(p place) (all []try) {
	for _, dir := range []string{p.work, p.outside, filepath.Join(p.home, "tmp")} {
		all = append(all, w.write(filepath.Join(dir, "wrote")))
	}
	all = append(all, w.run("touch "+p.work+"/ran"), w.run("touch "+p.outside+"/ran"), w.run("git status"))
	for _, server := range []string{"mine", "repo", "given"} {
		all = append(all, w.call(server))
	}
	return append(all, w.read(filepath.Join(p.outside, "outside.md")), w.read(filepath.Join(p.work, "inside.md")))
}

// withWorst is the program with the worst settings, and a server of the gateway that only
// reads.
func (c cli) withWorst(p place, settings args) cli {
	setup := c.setup
	c.setup = func(base string) (env, files map[string]string) {
		env, files = setup(base)
		files = maps.Clone(files)
		if files == nil {
			files = map[string]string{}
		}
		worsts[c.name].files(p, files)
		files[".llm-cli-gateway/specs/access.yaml"] = encode(args{"gateway": settings,
			"mcp": args{"given": having(having(p.server("given"), "trust", true), "access", "read")},
			"cli": args{"claude": args{"env": args{"set": args{"ENABLE_TOOL_SEARCH": "false"}}}}})
		return env, files
	}
	return c
}

// effects are what the tries of a call came to.
func (p place) effects(g *gateway, from int) (done []string) {
	saw := func(what, path string) {
		if os.Remove(path) == nil {
			done = append(done, what)
		}
	}
	saw("write inside", filepath.Join(p.work, "wrote"))
	saw("write outside", filepath.Join(p.outside, "wrote"))
	saw("write temporary", filepath.Join(p.home, "tmp", "wrote"))
	saw("run inside", filepath.Join(p.work, "ran"))
	saw("run outside", filepath.Join(p.outside, "ran"))
	traces, err := os.ReadDir(p.traces)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range traces {
		saw(e.Name(), p.trace(e.Name()))
	}
	for text, what := range map[string]string{"No commits yet": "git status", insideText: "read inside", outsideText: "read outside"} {
		if g.relayed(from, text) {
			done = append(done, what)
		}
	}
	return done
}

// accessTest is a program in its place.
type accessTest struct {
	place
	c      cli
	g      *gateway
	always []string // what it may do at any level
	told   []string // what it may seem to do
}

func newAccessTest(t *testing.T, c cli, settings args) accessTest {
	p := newPlace(t)
	g := startAt(t, p.home, p.work, "tries:"+encode(worsts[c.name].tries(p)), c.withWorst(p, settings))
	return accessTest{p, c, g, slices.Concat([]string{"start mine", "start given", "hook.user", "discovery.user", "plugin.user"}, worsts[c.name].always), nil}
}

// does makes a call and checks what it comes to: exactly that, beside what a program of
// the user's may always do.
func (a accessTest) does(call args, want ...string) result {
	a.t.Helper()
	before := len(a.g.models.Requests())
	call["prompt"] = marked("try")
	r := a.g.call(a.c, call)
	if r.IsError || !strings.Contains(r.StructuredContent.Response, "FAKE-REPLY") {
		a.t.Errorf("%v is not answered: %s", call, r.text())
	}
	got := a.effects(a.g, before)
	got = slices.DeleteFunc(got, func(what string) bool {
		return (slices.Contains(a.always, what) || slices.Contains(a.told, what)) && !slices.Contains(want, what)
	})
	slices.Sort(got)
	want = slices.Clone(want)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		a.t.Errorf("%v: it did %q, and should do %q\n%s", call, got, want, r.text())
	}
	return r
}

// TestAccess holds each program to its levels by what it does: its model tries everything,
// and the settings of the user and of the repository allow all of it.
func TestAccess(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		w := worsts[c.name]
		read := append([]string{"read inside"}, w.reads...)
		edit := slices.Concat([]string{"write inside"}, w.edits, read)

		strict := newAccessTest(t, c, args{"approvals": args{"strategy": "mcp_managed", "policy": "strict", "enforce": true}})
		first := strict.does(args{}, read...).StructuredContent
		if !strings.Contains(strings.Join(first.Warnings, "\n"), `overridden by access "read"`) {
			t.Errorf("the settings of the user are not named: %q", first.Warnings)
		}
		session := first.SessionID
		strict.does(args{"sessionId": session}, read...)
		strict.does(args{"mcpServers": []string{"given"}, "createNewSession": true}, append([]string{"called given"}, read...)...)
		for name, values := range w.nasty {
			for _, value := range values {
				strict.refuses(args{name: value})
			}
		}
		strict.refuses(args{"access": "edit"})
		strict.refuses(args{"access": "full", "sessionId": session})

		free := newAccessTest(t, c, args{})
		session = free.does(args{"access": "edit"}, edit...).StructuredContent.SessionID
		free.does(args{"sessionId": session}, edit...)
		free.told = w.edits // the conversation tells the model of what it saw before
		free.does(args{"sessionId": session, "access": "read"}, read...)
		free.told = nil
		session = free.does(args{"access": "full", "createNewSession": true}, w.full...).StructuredContent.SessionID
		free.told = []string{"git status", "read outside"}
		free.does(args{"sessionId": session, "access": "read"}, read...)
		free.told = nil
		if w.only != nil {
			free.does(having(maps.Clone(w.only), "createNewSession", true), slices.Concat([]string{"git status", "read inside"}, w.onlyDoes)...)
		}
		if out, err := free.g.command("trust", free.work).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		free.always = append(free.always, "start repo", "hook.repo", "discovery.repo", "plugin.repo")
		free.does(args{"createNewSession": true}, read...)
	})
}

// refuses makes a call that no policy may let run without a person.
func (a accessTest) refuses(call args) {
	a.t.Helper()
	before := len(a.g.models.Requests())
	call["prompt"] = marked("try")
	r := a.g.call(a.c, call)
	held := r.IsError || r.StructuredContent.Status == "waiting" // for a person
	if !held || len(a.g.models.Requests()) > before {
		a.t.Errorf("%v ran: %q\n%s", call, a.effects(a.g, before), r.text())
	}
}
