package engine

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// TestDoctorGivesUpWhatHangs: an area that does not answer is told as a problem, in its
// place, and the others are not lost.
func TestDoctorGivesUpWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		defer close(never)
		one := func(name string) func(context.Context) []Finding {
			return func(context.Context) []Finding { return []Finding{{Area: name, Name: name, State: FindingOK}} }
		}
		found := (&doctor{}).all(t.Context(), []area{
			{"first", one("first")}, {"second", func(context.Context) []Finding { <-never; return nil }}, {"third", one("third")},
		})
		got := []string{}
		for _, f := range found {
			got = append(got, f.Area+" "+f.State)
		}
		if !slices.Equal(got, []string{"first ok", "second problem", "third ok"}) || found[1].Fix == "" {
			t.Errorf("%+v", found)
		}
	})
}

func TestGatewayIsFoundInSettings(t *testing.T) {
	const program = `/opt/my tools/gateway`
	for _, c := range []struct {
		name, text, program string
		this, some          bool
	}{
		{"JSON", `{"mcpServers": {"x": {"command": "/opt/my tools/gateway", "args": ["serve"]}}}`, program, true, true},
		{"TOML", "[mcp_servers.x]\ncommand = '/opt/my tools/gateway'\n", program, true, true},
		{"escaped", `{"command": "C:\\tools\\gateway.exe"}`, `C:\tools\gateway.exe`, true, true},
		{"another place", `{"gateway": {"command": "/usr/bin/gateway", "args": ["serve"]}}`, program, false, true},
		{"arguments first", `{"x": {"args": ["--specs", "/s", "serve"], "command": "/usr/bin/gateway"}}`, program, false, true},
		{"single quotes", "[mcp_servers.gateway]\nargs = ['serve']", program, false, true},
		{"words of a conversation", `{"history": ["let the gateway serve", "serve it"]}`, program, false, false},
		{"another word", `{"gatewayish": {"args": ["serve"]}}`, program, false, false},
		{"far apart", `{"a": "gateway", "b": "` + strings.Repeat("x", 1000) + `", "args": ["serve"]}`, program, false, false},
		{"empty", "", program, false, false},
	} {
		if this, some := names([]byte(c.text), c.program); this != c.this || some != c.some {
			t.Errorf("%s: %v, %v; want %v, %v", c.name, this, some, c.this, c.some)
		}
	}
}

// client tells of a client with these files, in a home.
func client(t *testing.T, home string, files ...string) Finding {
	t.Helper()
	d := &doctor{program: "/opt/gateway", variables: host.Variables{"HOME=" + home, "JUNO_HOME=" + filepath.Join(home, "moved")}}
	return d.client("juno", lang.ClientSpec{Title: "Juno", Add: "juno add {gateway}", Files: files})
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFilesOfClients(t *testing.T) {
	home := t.TempDir()
	put(t, filepath.Join(home, "moved", "servers.json"), `"/opt/gateway"`)
	put(t, filepath.Join(home, "none.json"), `{}`)
	put(t, filepath.Join(home, "long.json"), strings.Repeat(" ", maxClientFile)+`"/opt/gateway"`)
	if err := os.Mkdir(filepath.Join(home, "folder.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		files       []string
		state, text string
		fix         bool
	}{
		{[]string{"~/none.json", "{JUNO_HOME:~/.juno}/servers.json"}, FindingOK, "configured in " + filepath.Join(home, "moved", "servers.json"), false},
		{[]string{"{KILO_HOME:~}/none.json", "~/missing.json"}, FindingNote, "not configured in " + filepath.Join(home, "none.json"), true},
		{[]string{"~/missing.json"}, FindingNote, "none of its files exists", true},
		{[]string{"~/long.json"}, FindingNote, "in the first MiB of", true},
		{[]string{"~/folder.json"}, FindingNote, "is not a regular file", true},
		{[]string{"{KILO_HOME}/none.json"}, FindingNote, "none of its files exists", true},
		{nil, FindingNote, "does not say where", true},
	} {
		f := client(t, home, c.files...)
		if f.State != c.state || !strings.Contains(f.Text, c.text) || (f.Fix == "juno add /opt/gateway") != c.fix {
			t.Errorf("%v: %+v", c.files, f)
		}
		if d := f.Detail.(clientDetail); d.Configured != (c.state == FindingOK) || d.Add != "juno add /opt/gateway" {
			t.Errorf("%v: %+v", c.files, d)
		}
	}
}

func TestFindingsOfCLIs(t *testing.T) {
	yes := true
	cli := &catalog.CLI{Name: "acme"}
	for _, c := range []struct {
		state           installed.State
		want, text, fix string
	}{
		{installed.State{Hint: "install it"}, FindingNote, "not installed", "install it"},
		{installed.State{Problem: "/x exists, but is not executable", Hint: "mend it"}, FindingProblem, "/x exists, but is not executable", "mend it"},
		{installed.State{Installed: true, Path: "/x", Version: "1.2", Matches: &yes, Login: installed.LoginUnknown}, FindingOK, "1.2 at /x; answers as its spec expects", ""},
		{installed.State{Installed: true, Path: "/x", Version: "1.2", Login: installed.LoginFound, LoginBy: "variable K"}, FindingOK, "1.2 at /x; login: variable K", ""},
		{installed.State{Installed: true, Path: "/x", Login: installed.LoginNone, LoginHint: "acme login"}, FindingNote,
			"/x; version unknown, because its spec does not say how to ask for it; no sign of a login", "acme login"},
		{installed.State{Installed: true, Path: "/x", Problem: "it hangs", Hint: "run it", Login: installed.LoginNone, LoginHint: "acme login"}, FindingProblem,
			"it hangs; path: /x; no sign of a login", "run it"},
	} {
		if f := cliFinding(cli, c.state); f.State != c.want || f.Text != c.text || f.Fix != c.fix {
			t.Errorf("%+v: %+v", c.state, f)
		}
	}
}
