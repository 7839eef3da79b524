//go:build unix

package job

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/job/lease"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/secret"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

const fakeSwitch = "ACME_FAKE"

// TestMain makes the test binary the CLI of its own tests: with the switch set it
// carries out its arguments one after the other.
func TestMain(m *testing.M) {
	if os.Getenv(fakeSwitch) == "" {
		os.Exit(m.Run())
	}
	for _, step := range os.Args[1:] {
		name, arg, _ := strings.Cut(step, "=")
		fakeStep(name, arg)
	}
	syscall.Exit(0) // os.Exit would make a race-enabled binary linger
}

var nth int // run of the fake, as the step of that name counts

func fakeStep(name, arg string) {
	number := func() int {
		n, err := strconv.Atoi(arg)
		must(err)
		return n
	}
	switch name {
	case "continue", "--model":
	case "out":
		os.Stdout.WriteString(arg)
	case "err":
		os.Stderr.WriteString(arg)
	case "bad": // not UTF-8
		os.Stdout.WriteString("a\xff\xfeb\xc3")
	case "fill": // so many letters
		must2(io.Copy(os.Stdout, io.LimitReader(letters{}, int64(number()))))
	case "answer": // one record whose answer has so many letters
		fmt.Print(`{"result":"`)
		must2(io.Copy(os.Stdout, io.LimitReader(letters{}, int64(number()))))
		fmt.Print(`"}` + "\n")
	case "sha":
		h := sha256.New()
		n, err := io.Copy(h, os.Stdin)
		must(err)
		fmt.Printf("%d %x", n, h.Sum(nil))
	case "cat":
		data, err := os.ReadFile(arg)
		must(err)
		os.Stdout.Write(data)
	case "--mode": // of a file, and what it holds
		info, err := os.Stat(arg)
		must(err)
		data, err := os.ReadFile(arg)
		must(err)
		fmt.Printf("%s %04o %s", filepath.Base(arg), info.Mode().Perm(), data)
	case "dump":
		dir, err := os.Getwd()
		must(err)
		text, err := json.Marshal(map[string]any{"args": os.Args[1:], "env": os.Environ(), "dir": dir})
		must(err)
		os.Stdout.Write(text)
	case "getenv":
		os.Stdout.WriteString(os.Getenv(arg))
	case "write": // the file that it was told to
		must(os.WriteFile(strings.Replace(os.Getenv("ACME_WRITES"), "HOME", os.Getenv("HOME"), 1), []byte(arg), 0o600))
	case "touch": // a file of its own in a folder
		file, err := os.CreateTemp(arg, "run-*")
		must(err)
		file.Close()
	case "effect": // a file in a folder that has the name of the job
		must(os.WriteFile(filepath.Join(arg, os.Getenv(process.CookieName)), nil, 0o600))
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
	case "polite": // exit 0 with a good answer when asked to end
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		go func() { <-c; os.Stdout.WriteString(arg); syscall.Exit(0) }()
	case "pid":
		must(os.WriteFile(arg+"~", []byte(strconv.Itoa(os.Getpid())), 0o600))
		must(os.Rename(arg+"~", arg))
	case "await": // a file, or the writer of a FIFO
		file, err := os.Open(arg)
		must(err)
		must2(io.Copy(io.Discard, file))
	case "daemon": // a grandchild in a session of its own that ignores SIGTERM
		cmd := exec.Command(os.Args[0], "deaf", "pid="+arg, "sleep")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		must(cmd.Start())
	case "sleep":
		time.Sleep(time.Hour)
	case "raise":
		must(syscall.Kill(os.Getpid(), syscall.Signal(number())))
		time.Sleep(time.Hour)
	case "exit":
		syscall.Exit(number())
	case "nth": // counts its runs in a file
		file, err := os.OpenFile(arg, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		must(err)
		_, err = file.WriteString("x")
		must(err)
		info, err := file.Stat()
		must(err)
		nth = int(info.Size())
	case "upto": // a number of runs, and what to do in these
		most, step, _ := strings.Cut(arg, " ")
		if n, err := strconv.Atoi(most); err == nil && nth <= n {
			name, arg, _ := strings.Cut(step, "=")
			fakeStep(name, arg)
		}
	default:
		must(fmt.Errorf("no step %q", name))
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "fake:", err)
		syscall.Exit(99)
	}
}

func must2(_ int64, err error) { must(err) }

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// fixture is a Runner over a home of its own, with the fake as its CLI.
type fixture struct {
	t       *testing.T
	catalog *catalog.Catalog
	runner  *Runner
	store   *sqlite.Store
	home    string
	dir     string // working directory of the calls
	client  string // that makes them; "": "client"
}

// acme is a CLI that does what its parameter says.
const acme = `
	params: do: {doc: "Steps", type: "list"}
	env: {set: ACME_FAKE: "1", pass: ["ACME_*"]}
	timeouts: graceMs: 50
`

const jsonl = `output: {format: "jsonl", end: "event.result != nil", text: "event.result", model: "event.model", error: "event.error", cost: "event.cost",
	usage: {input: "event.in", output: "event.out"}}
	session: {id: "^[a-z0-9][a-z0-9-]*$", resume: ["continue={id}"], capture: "event.id"}
	argv: ["{session}", "{do}"]
`

// newFixture opens a runner; lines are added to the spec of the CLI, one of which may
// close it and go on with others.
func newFixture(t *testing.T, lines string, environ ...string) *fixture {
	t.Helper()
	home := t.TempDir()
	var b *fixture
	t.Cleanup(func() { // a test that failed must not leave jobs behind
		if b == nil {
			return
		}
		entries, _ := os.ReadDir(b.runner.Jobs)
		for _, e := range entries {
			if dir, err := supervisor.Open(filepath.Join(b.runner.Jobs, e.Name())); err == nil {
				_ = dir.Cancel("the test is over")
			}
		}
	})
	b = newFixtureIn(t, home, lines, environ...)
	return b
}

// newFixtureIn opens one over a home that others may use too.
func newFixtureIn(t *testing.T, home, lines string, environ ...string) *fixture {
	t.Helper()
	b := &fixture{t: t, home: home, dir: t.TempDir()}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(lines, "argv:") {
		lines = "argv: [\"{do}\"]\n" + lines
	}
	text := fmt.Sprintf("cli: acme: {\n bin: %q\n%s\n%s\n}\ngateway: env: pass: [\"PATH\", \"HOME\"]\n", self, acme, lines)
	b.catalog = compile(t, text)
	b.catalog.Settings.Jobs.MaxDepth = 3
	b.catalog.Secrets = secret.Compile(langtest.Secrets(t), true, lang.NewProblems())
	b.store, err = sqlite.Open(filepath.Join(b.home, "logs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.store.Close() })
	environ = append([]string{"HOME=" + b.home, "PATH=" + os.Getenv("PATH")}, environ...)
	b.runner = &Runner{
		Host: host.New(environ, nil, b.catalog.Settings.EnvFile), Record: func() (Store, error) { return b.store, nil },
		Spool: filepath.Join(b.home, "run"), Version: "9.9",
		Jobs: filepath.Join(b.home, "jobs"), Pools: filepath.Join(b.home, "pools"), RecordName: b.home, Current: func() *catalog.Catalog { return b.catalog },
	}
	t.Cleanup(b.runner.Close)
	return b
}

func compile(t *testing.T, text string) *catalog.Catalog {
	t.Helper()
	res := load.Load([]load.Layer{{Name: "test", Files: []specfiles.File{{Name: "acme.cue", Data: []byte(text)}}}}, load.Options{})
	if res.Catalog == nil {
		t.Fatalf("%v\n%s", res.Diagnostics, text)
	}
	return res.Catalog
}

// bind makes a call of the fake with these arguments beside the prompt.
func (b *fixture) bind(prompt string, args map[string]any) *catalog.Call {
	b.t.Helper()
	all := map[string]any{"prompt": prompt}
	for k, v := range args {
		all[k] = v
	}
	text, err := json.Marshal(all)
	if err != nil {
		b.t.Fatal(err)
	}
	cli, _ := b.catalog.CLI("acme")
	call, wrong := cli.Bind(text, nil, func() string { return "made-id" })
	if wrong != nil {
		b.t.Fatal(wrong)
	}
	return call
}

func (b *fixture) request(steps ...string) call.Request {
	b.t.Helper()
	return call.Request{Principal: store.Local, Catalog: b.catalog, Bound: b.bind("hello", map[string]any{"do": steps}), Dir: b.dir, Client: call.Client{Name: cmp.Or(b.client, "client"), Version: "3"}}
}

// row is the finished row of an outcome.
func (b *fixture) row(out call.Completion) store.Job {
	b.t.Helper()
	row, err := b.store.Job(b.t.Context(), store.Local, out.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	if row.State != store.Done {
		b.t.Errorf("the row is %s", row.State)
	}
	return row
}

// spooled are the files that lie in the spool, but for the gateway's own lease, which
// stays until it closes.
func (b *fixture) spooled() []string {
	b.t.Helper()
	entries, err := os.ReadDir(b.runner.Spool)
	if err != nil && !os.IsNotExist(err) {
		b.t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		if e.Name() != filepath.Base(lease.Path(b.runner.Spool, b.runner.owner())) {
			names = append(names, e.Name())
		}
	}
	return names
}

// until polls a condition.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s never came", what)
		}
	}
}

func pidIn(file string) int {
	text, _ := os.ReadFile(file)
	pid, _ := strconv.Atoi(string(text))
	return pid
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func class(out call.Completion) string {
	if out.Answer.Failure == nil {
		return ""
	}
	return out.Answer.Failure.Class
}

// send is Submit for a request that is made where it is used.
func (r *Runner) send(ctx context.Context, req call.Request) (call.Job, *lang.Failure) {
	return r.Submit(ctx, &req)
}

// Run runs one call to its end, or until ctx ends: then it is ended, or goes on, as
// Abandon says. What goes wrong is part of the outcome, never a Go error.
func (r *Runner) Run(ctx context.Context, req call.Request) call.Completion {
	job, failure := r.send(ctx, req)
	if failure != nil {
		return call.Completion{ID: job.Row.ID, ExitCode: -1, Answer: extract.Answer{Failure: failure}, Duration: job.Row.Outcome.Duration, Warnings: job.Notes}
	}
	job, err := r.Wait(ctx, job, 0)
	if err == nil && !job.State.Ended() {
		job, err = r.Abandon(ctx, job)
	}
	if err == nil {
		return r.Completion(job)
	}
	return call.Completion{ID: job.Row.ID, ExitCode: -1, Answer: extract.Answer{Failure: &lang.Failure{Class: lang.ClassRecord, Message: err.Error()}}}
}
