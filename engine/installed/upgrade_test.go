//go:build unix

package installed

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog/upgrade"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

const upgrades = asks + `, env: {pass: ["ACME_KEY"], set: ACME_OFFLINE: "1"}, upgrade: {latest: ["update"], target: {bin: "fetch", argv: ["acme@{target}"]}
	where: npm: {path: "^(?P<prefix>.+)/lib/node_modules/", target: {bin: "fetch", argv: ["--prefix={prefix}", "acme@{target}"]}}
	where: brew: {path: "/Cellar/", note: "ask brew"}}`

func (m *machine) plan(target string) Upgrade {
	return m.Plan(m.t.Context(), m.catalog, m.acme(), target, time.Minute)
}

func TestPlan(t *testing.T) {
	m := newMachine(t, upgrades, "ACME_KEY=s3cret", "OTHER=o")
	t.Setenv("HOME", m.home)
	u := m.plan("latest")
	if u.Problem != "Acme is not installed, so it cannot update itself" || !strings.Contains(u.Hint, "get acme") || strings.Join(u.Command(), " ") != "acme update" || u.Path != "" {
		t.Errorf("missing: %+v", u)
	}
	if u = m.plan("1.0.0"); !strings.Contains(u.Problem, `"fetch" was not found`) || u.Hint != "install fetch first" || strings.Join(u.Command(), " ") != "fetch acme@1.0.0" {
		t.Errorf("nothing to fetch it with: %+v", u)
	}
	fetch := m.program("fetch", "exit 1")
	if u = m.plan("1.0.0"); u.Problem != "" || u.Path != fetch || u.Strategy != "fetch" || u.State.Installed {
		t.Errorf("to be installed: %+v", u)
	}

	acme := m.program("acme", "echo acme 1.2.3")
	u = m.plan("latest")
	if u.Problem != "" || u.Path != acme || u.Strategy != upgrade.SelfUpdate || u.State.Version != "1.2.3" || u.Dir != m.home || u.Timeout != time.Minute {
		t.Errorf("%+v", u)
	}
	if environ := strings.Join(u.Environ, "\n"); !slices.Contains(u.Environ, "ACME_KEY=s3cret") || !slices.Contains(u.Environ, "PWD="+m.home) || strings.Contains(environ, "OTHER") || strings.Contains(environ, "OFFLINE") {
		t.Errorf("environment: %q", environ)
	}

	m.program("acme", "echo something 1.2.3")
	if u = m.plan("latest"); !strings.Contains(u.Problem, "another program of the same name") {
		t.Errorf("another program: %+v", u)
	}

	// What counts is where the program really lies.
	for folder, want := range map[string]string{"lib/node_modules/acme": "fetch --prefix=PREFIX acme@2", "Cellar/acme/1": ""} {
		prefix, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		lies := filepath.Join(prefix, folder)
		if err := os.MkdirAll(lies, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(m.program("acme", "echo acme 1.2.3"), filepath.Join(lies, "acme")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(lies, "acme"), acme); err != nil {
			t.Fatal(err)
		}
		u = m.plan("2")
		if got := strings.Join(u.Command(), " "); got != strings.Replace(want, "PREFIX", prefix, 1) || u.State.Path != acme {
			t.Errorf("%s: %q, %+v", folder, got, u.State)
		}
		if want == "" && (u.Hint != "ask brew" || !strings.Contains(u.Problem, `kind "brew"`) || u.Command() != nil) {
			t.Errorf("%s: %+v", folder, u)
		}
		if err := os.Remove(acme); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLogin(t *testing.T) {
	home := t.TempDir()
	for _, dir := range []string{"there", "moved"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"there/key": "s3cret", "there/empty": "", "moved/key": "s3cret"} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	environ := []string{"HOME=" + home, "SET=s3cret", "EMPTY=", "MOVED=" + home + "/moved", "RELATIVE=there"}
	for spec, want := range map[string]string{
		`{}`:                      "unknown ",
		`{"hint":"h"}`:            "unknown ",
		`{"env":["NOT","SET"]}`:   "found variable SET",
		`{"env":["EMPTY","NOT"]}`: "none ",
		`{"env":["NOT"],"files":["~/there/key"]}`:              "found file HOME/there/key",
		`{"env":["SET"],"files":["~/there/key"]}`:              "found variable SET, or file HOME/there/key",
		`{"files":["~/there/none","~/there","~/there/empty"]}`: "none ",
		`{"files":["{MOVED:~/there}/key"]}`:                    "found file HOME/moved/key",
		`{"files":["{EMPTY:~/there}/key"]}`:                    "found file HOME/there/key",
		`{"files":["{NOT:~/there}/key"]}`:                      "found file HOME/there/key",
		`{"files":["{NOT}/key"]}`:                              "none ",
		`{"files":["{RELATIVE}/key"]}`:                         "none ",
		`{"files":["/nowhere/key"]}`:                           "none ",
	} {
		var l lang.LoginSpec
		if err := json.Unmarshal([]byte(spec), &l); err != nil {
			t.Fatal(err)
		}
		state, by := login(l, environ)
		if got := strings.ReplaceAll(state+" "+by, home, "HOME"); got != want {
			t.Errorf("%s: %q, want %q", spec, got, want)
		}
	}
	m := newMachine(t, `login: {env: ["ACME_KEY"], hint: "acme login"}, env: pass: ["ACME_*"]`)
	if s := m.state(); s.Login != LoginNone || s.LoginHint != "acme login" {
		t.Errorf("%+v", s)
	}
	// A key that the CLI is not given is no login.
	m = newMachine(t, `login: env: ["ACME_KEY"]`, "ACME_KEY=s3cret")
	if s := m.state(); s.Login != LoginNone {
		t.Errorf("%+v", s)
	}
	m = newMachine(t, `login: env: ["ACME_KEY"], env: pass: ["ACME_*"]`, "ACME_KEY=s3cret")
	s := m.state()
	if text, _ := json.Marshal(s); s.Login != LoginFound || s.LoginBy != "variable ACME_KEY" || strings.Contains(string(text), "s3cret") {
		t.Errorf("%s", text)
	}
}
