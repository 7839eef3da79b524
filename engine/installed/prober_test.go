//go:build unix

package installed

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// machine is a machine with one CLI, acme, and what there is to ask it with.
type machine struct {
	*Prober
	t       *testing.T
	catalog *catalog.Catalog
	bin     string // folder of programs
	home    string
}

// newMachine makes a machine; more is what the spec of acme says beside its program.
func newMachine(t *testing.T, more string, environ ...string) *machine {
	t.Helper()
	text := `cli: acme: {bin: "acme", title: "Acme", install: "get acme", argv: ["{params}"], ` + more + "}\n" +
		`gateway: env: {pass: ["PATH", "HOME"], drop: ["ACME_DROPPED"]}`
	res := load.Load([]load.Layer{{Name: "test", Files: []specfiles.File{{Name: "a.cue", Data: []byte(text)}}}}, load.Options{})
	if res.Catalog == nil {
		t.Fatal(res.Diagnostics)
	}
	m := &machine{t: t, catalog: res.Catalog, bin: t.TempDir(), home: t.TempDir()}
	m.Prober = &Prober{
		Host:  host.New(append([]string{"HOME=" + m.home, "PATH=" + m.bin + ":" + os.Getenv("PATH")}, environ...), nil, ""),
		File:  filepath.Join(m.home, "state", "versions.json"),
		limit: time.Minute,
	}
	return m
}

const asks = `version: {argv: ["--version", "now"], match: #"^acme (\d+\.\d+\.\d+)$"#}`

// program installs a shell script and returns its path.
func (m *machine) program(name, script string) string {
	m.t.Helper()
	path := filepath.Join(m.bin, name)
	fresh := path + ".new"
	if err := os.WriteFile(fresh, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Rename(fresh, path); err != nil {
		m.t.Fatal(err)
	}
	return path
}

func (m *machine) acme() *catalog.CLI { cli, _ := m.catalog.CLI("acme"); return cli }

func (m *machine) state() State {
	return m.State(m.t.Context(), m.catalog, m.acme())
}

func (m *machine) version() string {
	return m.Version(m.t.Context(), m.catalog, m.acme())
}

// again is another gateway on the same machine.
func (m *machine) again() *machine {
	other := *m
	other.Prober = &Prober{Host: m.Host, File: m.File, limit: m.limit, now: m.now}
	return &other
}

func TestProgramsAndWhatTheySay(t *testing.T) {
	yes, no := true, false
	for name, c := range map[string]struct {
		script, spec, version string
		matches               *bool
		problem               string
	}{
		"good":              {"echo acme 1.2.3", asks, "1.2.3", &yes, ""},
		"arguments":         {`test "$#$1$2" = 2--versionnow && echo acme 1.2.3`, asks, "1.2.3", &yes, ""},
		"behind a warning":  {"echo careful; printf 'acme 1.2.3\\r\\n'; echo more", asks, "1.2.3", &yes, ""},
		"standard error":    {"echo acme 1.2.3 >&2", asks, "1.2.3", &yes, ""},
		"no pattern":        {"echo 'acme v10.2.0-rc.1 (2026)'", `version: argv: ["-v"]`, "10.2.0-rc.1", nil, ""},
		"end of a sentence": {"echo Acme 1.0.102., 7.7", `version: argv: ["-v"]`, "1.0.102", nil, ""},
		"no way to ask":     {"exit 1", "", "", nil, ""},
		"another program":   {"echo acmetool 7.8.9", asks, "7.8.9", &no, `it answers "acmetool 7.8.9", which its spec does not expect`},
		"nonsense":          {"printf '\\033[1mhello\\200'", asks, "", &no, `it answers "[1mhello"`},
		"no version":        {"echo hello", `version: argv: ["-v"]`, "", nil, `its answer contains no version "hello"`},
		"silent":            {"", asks, "", nil, "it printed nothing"},
		"fails":             {"echo acme 1.2.3; echo broken >&2; exit 3", asks, "", nil, `exit code 3: "broken"`},
		"killed":            {"kill -9 $$", asks, "", nil, "it ended with exit code -1"},
		"no interpreter":    {"#", asks, "", nil, ""},
		"input is empty":    {"read x || echo acme 1.2.3", asks, "1.2.3", &yes, ""},
		"folder is empty":   {`test "$PWD" = "$(pwd -P)" && test "$(ls | sort | tr '\n' ' ')" = "stderr stdout " && echo acme 1.2.3`, asks, "1.2.3", &yes, ""},
		"filtered variable": {`test "$ACME_PASSED-$ACME_DROPPED-$OTHER-$ACME_SET" = p---s && echo acme 1.2.3`, asks + `, env: {pass: ["ACME_*"], set: ACME_SET: "s"}`, "1.2.3", &yes, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, c.spec, "ACME_PASSED=p", "ACME_DROPPED=d", "OTHER=o")
			path := m.program("acme", c.script)
			if name == "no interpreter" {
				if err := os.WriteFile(path, []byte("#!/no/such/interpreter\n"), 0o700); err != nil {
					t.Fatal(err)
				}
				c.problem = "its version could not be determined"
			}
			s := m.state()
			if !s.Installed || s.Path != path || s.Version != c.version || !strings.Contains(s.Problem, c.problem) || (s.Problem == "") != (c.problem == "") {
				t.Errorf("%+v", s)
			}
			if (s.Matches == nil) != (c.matches == nil) || s.Matches != nil && *s.Matches != *c.matches {
				t.Errorf("matches: %v", s.Matches)
			}
			if (s.Hint == "") != (s.Problem == "") {
				t.Errorf("hint: %q", s.Hint)
			}
			want := c.version
			if c.problem != "" { // another program's version says nothing
				want = ""
			}
			if got := m.version(); got != want {
				t.Errorf("for a call: %q, want %q", got, want)
			}
		})
	}
}

func TestMissingPrograms(t *testing.T) {
	m := newMachine(t, asks)
	if s := m.state(); s.Installed || s.Problem != "" || !strings.Contains(s.Hint, "get acme") || !strings.Contains(s.Hint, "cli.acme.bin") || s.Looked[0] != m.bin {
		t.Errorf("missing: %+v", s)
	}
	if got := m.version(); got != "" {
		t.Errorf("version %q", got)
	}
	path := m.program("acme", "echo acme 1.2.3")
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if s := m.state(); s.Installed || s.Problem != path+" exists, but is not executable" || s.Hint != "chmod +x "+path {
		t.Errorf("not executable: %+v", s)
	}
}

func TestHangingProgram(t *testing.T) {
	m := newMachine(t, asks)
	m.limit = 20 * time.Millisecond
	m.program("acme", "trap '' TERM; echo acme 1.2.3; while :; do sleep 1000; done")
	if s := m.state(); s.Version != "" || !strings.Contains(s.Problem, "it did not answer within 20ms") {
		t.Errorf("%+v", s)
	}
}

func TestCanceledQuestion(t *testing.T) {
	m := newMachine(t, asks)
	fifo := filepath.Join(m.home, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	m.program("acme", "echo >"+fifo+"; exec sleep 1000")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		_, _ = os.ReadFile(fifo) // comes to its end when the program has begun
	}()
	if s := m.State(ctx, m.catalog, m.acme()); !strings.Contains(s.Problem, context.Canceled.Error()) {
		t.Errorf("%+v", s)
	}
	// It was not the program that failed: the next is asked anew.
	m.program("acme", "echo acme 1.2.3")
	if got := m.version(); got != "1.2.3" {
		t.Errorf("version %q", got)
	}
}

func TestProgramThatPrintsMuch(t *testing.T) {
	m := newMachine(t, asks)
	m.program("acme", "echo acme 1.2.3; head -c 100000000 /dev/zero; echo; head -c 100000000 /dev/zero >&2")
	if s := m.state(); s.Version != "1.2.3" || s.Problem != "" {
		t.Errorf("%+v", s)
	}
}

// TestNothingIsLeftBehind: a program that leaves a process in the background, on Linux
// also one in a session of its own. The pipe ends when none holds it any more.
func TestNothingIsLeftBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	m := newMachine(t, asks)
	fifo := filepath.Join(m.home, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	begin := ""
	if _, err := exec.LookPath("setsid"); err == nil && runtime.GOOS == "linux" {
		begin = "setsid "
	}
	m.program("acme", "exec 3>"+fifo+"; "+begin+"sleep 1000 & exec 3>&-; echo acme 1.2.3")
	ended := make(chan error, 1)
	go func() {
		f, err := os.Open(fifo)
		if err == nil {
			_, err = io.Copy(io.Discard, f)
			f.Close()
		}
		ended <- err
	}()
	if s := m.state(); s.Version != "1.2.3" {
		t.Errorf("%+v", s)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "llm-gateway-version-*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// counting is a script that answers a version and counts how often it is asked.
func (m *machine) counting(version string) {
	m.program("acme", "echo x >>"+filepath.Join(m.home, "asked")+"; echo acme "+version)
}

func (m *machine) asked(want int) {
	m.t.Helper()
	text, _ := os.ReadFile(filepath.Join(m.home, "asked"))
	if got := strings.Count(string(text), "x"); got != want {
		m.t.Errorf("asked %d times, want %d", got, want)
	}
}

func TestAnswersAreRemembered(t *testing.T) {
	m := newMachine(t, asks)
	m.counting("1.0.0")
	for range 3 {
		if got := m.version(); got != "1.0.0" {
			t.Errorf("version %q", got)
		}
	}
	m.asked(1)
	next := m.again()
	if s := next.state(); s.Version != "1.0.0" || next.version() != "1.0.0" {
		t.Errorf("%+v", s)
	}
	m.asked(1)

	m.counting("2.0.0") // of the same length, maybe at the same time, but another file
	if a, b := m.version(), next.version(); a != "2.0.0" || b != "2.0.0" {
		t.Errorf("after the change: %q, %q", a, b)
	}
	m.asked(3) // each remembers for itself
	if got := m.again().version(); got != "2.0.0" {
		t.Errorf("version %q", got)
	}
	m.asked(3)

	m.Forget(m.acme())
	if got := m.again().version(); got != "2.0.0" {
		t.Errorf("version %q", got)
	}
	m.asked(4)

	// A shim stays the same when what it stands for does not.
	late := m.again()
	late.now = func() time.Time { return time.Now().Add(answerTTL + time.Second) }
	if got := late.version(); got != "2.0.0" {
		t.Errorf("version %q", got)
	}
	m.asked(5)
}

// TestChangeInPlace: the file keeps its name, its length and its time.
func TestChangeInPlace(t *testing.T) {
	m := newMachine(t, asks)
	path := m.program("acme", "echo acme 1.0.0")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if changed(info) == 0 {
		t.Skip("this system does not tell when the record of a file changed")
	}
	if got := m.version(); got != "1.0.0" {
		t.Errorf("version %q", got)
	}
	for { // until the clock of the file system has moved
		m.program("acme", "echo acme 2.0.0")
		if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
		now, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if now.ModTime() != info.ModTime() || now.Size() != info.Size() {
			t.Fatal("the file system rounds times")
		}
		if changed(now) != changed(info) {
			break
		}
	}
	if got := m.version(); got != "2.0.0" {
		t.Errorf("version %q", got)
	}
}

func TestFailuresAreRememberedForAWhile(t *testing.T) {
	m := newMachine(t, asks)
	now := time.Now()
	m.now = func() time.Time { return now }
	m.program("acme", "echo x >>"+filepath.Join(m.home, "asked")+"; test -e "+filepath.Join(m.home, "repaired")+" && echo acme 1.0.0")
	for range 3 {
		if got := m.version(); got != "" {
			t.Errorf("version %q", got)
		}
	}
	m.asked(1)
	if err := os.WriteFile(filepath.Join(m.home, "repaired"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := m.version(); got != "" {
		t.Errorf("version %q", got)
	}
	m.asked(1)
	now = now.Add(failureTTL)
	if got := m.version(); got != "1.0.0" {
		t.Errorf("version %q", got)
	}
	m.asked(2)
}

// TestWhoAsksIsNotPutOff: a person who has fixed something must not see an old answer.
func TestWhoAsksIsNotPutOff(t *testing.T) {
	m := newMachine(t, asks)
	repaired := filepath.Join(m.home, "repaired")
	m.program("acme", "test -e "+repaired+" && echo acme 1.0.0")
	if s := m.state(); s.Problem == "" {
		t.Errorf("%+v", s)
	}
	if err := os.WriteFile(repaired, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if s := m.state(); s.Version != "1.0.0" || s.Problem != "" || m.version() != "1.0.0" {
		t.Errorf("%+v", s)
	}
}

func TestManyAskAtOnce(t *testing.T) {
	m := newMachine(t, asks)
	m.counting("1.0.0")
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			if i%2 == 0 {
				if got := m.version(); got != "1.0.0" {
					t.Errorf("version %q", got)
				}
			} else if s := m.state(); s.Version != "1.0.0" {
				t.Errorf("%+v", s)
			}
		})
	}
	all.Wait()
	m.asked(1)
}

func TestFileOfAnswers(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "no JSON": "{", "another shape": `{"programs": 7}`, "a list": "[]", "null": "null",
		"bad version": "VERSION:--evil", "bad stamp": "STAMP:1",
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, asks)
			m.counting("1.0.0")
			m.version()
			good, err := os.ReadFile(m.File)
			if err != nil {
				t.Fatal(err)
			}
			switch what, with, _ := strings.Cut(text, ":"); what {
			case "VERSION":
				text = strings.Replace(string(good), `"1.0.0"`, strconv.Quote(with), 1)
			case "STAMP":
				text = strings.Replace(string(good), `"size":`, `"size":`+with, 1)
			}
			if text == string(good) {
				t.Fatal("nothing was forged")
			}
			if err := os.WriteFile(m.File, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := m.again().version(); got != "1.0.0" {
				t.Errorf("version %q", got)
			}
			m.asked(2)
			if got := m.again().version(); got != "1.0.0" { // and is repaired by that
				t.Errorf("version %q", got)
			}
			m.asked(2)
			if info, err := os.Stat(m.File); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
			if all, _ := filepath.Glob(filepath.Join(filepath.Dir(m.File), "*")); len(all) != 1 {
				t.Errorf("files: %q", all)
			}
		})
	}
	for name, file := range map[string]string{"none": "", "a folder": t.TempDir(), "below a file": "/dev/null/versions.json"} {
		m := newMachine(t, asks)
		m.File = file
		m.counting("1.0.0")
		if a, b := m.version(), m.version(); a != "1.0.0" || b != "1.0.0" {
			t.Errorf("%s: %q, %q", name, a, b)
		}
		m.asked(1)
	}
}

// TestFileIsShared: what one gateway finds out does not cost what another did.
func TestFileIsShared(t *testing.T) {
	m := newMachine(t, asks)
	other := newMachine(t, asks)
	other.File = m.File
	other.version()
	m.counting("1.0.0")
	other.counting("2.0.0")
	m.version()
	other.version()
	if a, b := m.again().version(), other.again().version(); a != "1.0.0" || b != "2.0.0" {
		t.Errorf("%q, %q", a, b)
	}
	m.asked(1)
	other.asked(1)
}

func TestStates(t *testing.T) {
	m := newMachine(t, asks)
	text := ""
	for i := range 12 {
		m.program(fmt.Sprintf("cli%d", i), fmt.Sprintf("echo 1.0.%d", i))
		text += fmt.Sprintf("cli: cli%d: {bin: \"cli%d\", argv: [], version: argv: []}\n", i, i)
	}
	text = strings.ReplaceAll(text, "argv: []}", `argv: ["-v"]}`)
	res := load.Load([]load.Layer{{Name: "test", Files: []specfiles.File{{Name: "a.cue", Data: []byte(text)}}}}, load.Options{})
	if res.Catalog == nil {
		t.Fatal(res.Diagnostics)
	}
	for i, s := range m.States(t.Context(), res.Catalog, res.Catalog.CLIs) {
		if s.CLI != fmt.Sprintf("cli%d", i) || s.Version != fmt.Sprintf("1.0.%d", i) {
			t.Errorf("%d: %+v", i, s)
		}
	}
}

// BenchmarkRemembered is what a call pays whose CLI depends on its version.
func BenchmarkRemembered(b *testing.B) {
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "acme"), []byte("#!/bin/sh\necho acme 1.0.0\n"), 0o700); err != nil {
		b.Fatal(err)
	}
	res := load.Load([]load.Layer{{Name: "test", Files: []specfiles.File{{Name: "a.cue", Data: []byte(`cli: acme: {bin: "acme", argv: [], ` + asks + "}")}}}}, load.Options{})
	p := &Prober{Host: host.New([]string{"PATH=" + dir + ":" + os.Getenv("PATH")}, nil, "")}
	cli := res.Catalog.CLIs[0]
	if got := p.Version(b.Context(), res.Catalog, cli); got != "1.0.0" {
		b.Fatal(got)
	}
	for b.Loop() {
		p.Version(b.Context(), res.Catalog, cli)
	}
}
