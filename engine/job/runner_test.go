//go:build unix

package job

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

func TestMissingProgram(t *testing.T) {
	b := newFixture(t, jsonl)
	cli, _ := b.catalog.CLI("acme")
	cli.Bin, cli.Title, cli.Install = "no-such-acme", "Acme Code", "acme-get install acme"
	out := b.runner.Run(t.Context(), b.request())
	f := out.Answer.Failure
	if f == nil || f.Class != lang.ClassMissing || out.ExitCode != -1 {
		t.Fatalf("outcome: %+v", out)
	}
	for _, want := range []string{"Acme Code is not installed", `"no-such-acme"`, "looked in /"} {
		if !strings.Contains(f.Message, want) {
			t.Errorf("%q lacks %q", f.Message, want)
		}
	}
	for _, want := range []string{"acme-get install acme", "cli.acme.bin"} {
		if !strings.Contains(f.Hint, want) {
			t.Errorf("hint %q lacks %q", f.Hint, want)
		}
	}
	row := b.row(out)
	if row.Outcome.Ending != store.EndStartFailed || row.Outcome.ErrorClass != lang.ClassMissing || row.Outcome.ExitCode != nil || row.Prompt != "hello" {
		t.Errorf("row: %+v", row)
	}
}

// TestNotExecutable: a program that lacks the permission is not called missing.
func TestNotExecutable(t *testing.T) {
	script := filepath.Join(t.TempDir(), "acme")
	if err := os.WriteFile(script, []byte("#!/bin/sh"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newFixture(t, "")
	req := b.request("out=fine")
	cli, _ := b.catalog.CLI("acme")
	cli.Bin = script
	if f := b.runner.Run(t.Context(), req).Answer.Failure; f == nil || f.Class != lang.ClassStart || !strings.Contains(f.Message, "is not executable") || f.Hint != "chmod +x "+script {
		t.Errorf("%+v", f)
	}
}

func TestCannotStart(t *testing.T) {
	script := filepath.Join(t.TempDir(), "acme")
	if err := os.WriteFile(script, []byte("\x7fELF not really"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(b *fixture, req *call.Request){
		"not a program":     func(b *fixture, _ *call.Request) { cli, _ := b.catalog.CLI("acme"); cli.Bin = script },
		"relative program":  func(b *fixture, _ *call.Request) { cli, _ := b.catalog.CLI("acme"); cli.Bin = "./acme" },
		"directory is gone": func(_ *fixture, req *call.Request) { req.Dir = filepath.Join(req.Dir, "gone") },
		"no space for jobs": func(b *fixture, _ *call.Request) { b.runner.Jobs = "/dev/null/jobs" },
		"environment too big": func(b *fixture, _ *call.Request) {
			b.runner.Host = host.New([]string{"PATH=/bin", "ACME_BIG=" + strings.Repeat("x", 200_000)}, nil, "")
		},
		"environment file": func(b *fixture, _ *call.Request) { b.envFile("no assignment") },
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, jsonl)
			req := b.request("out=never")
			change(b, &req)
			out := b.runner.Run(t.Context(), req)
			if class(out) != lang.ClassStart || out.ExitCode != -1 {
				t.Fatalf("outcome: %+v", out.Answer.Failure)
			}
			if row := b.row(out); row.Outcome.Ending != store.EndStartFailed || row.Outcome.ErrorMessage == "" {
				t.Errorf("row: %+v", row)
			}
		})
	}
}

// verdicts are runs that end by themselves and what becomes of each.
func TestVerdicts(t *testing.T) {
	good := `out={"result":"fine","id":"conv-1"}` + "\n"
	for name, c := range map[string]struct {
		steps  []string
		resume string
		class  string
		ending store.Ending
		text   string
		exit   int
	}{
		"good":                      {steps: []string{good}, text: "fine", ending: store.EndOK},
		"log lines around it":       {steps: []string{"out=starting\n", good, "out=bye\n"}, text: "fine", ending: store.EndOK},
		"empty answer":              {steps: []string{`out={"result":""}` + "\n"}, class: lang.ClassEmpty, ending: store.EndError},
		"blank answer":              {steps: []string{`out={"result":" \n"}` + "\n"}, class: lang.ClassEmpty, ending: store.EndError, text: " \n"},
		"nothing at all":            {class: lang.ClassIncomplete, ending: store.EndError},
		"no record":                 {steps: []string{"out=Segmentation fault\n"}, class: lang.ClassUnparsable, ending: store.EndError},
		"half a record":             {steps: []string{`out={"result":"fi`}, class: lang.ClassUnparsable, ending: store.EndError},
		"records but no end":        {steps: []string{`out={"model":"m"}` + "\n"}, class: lang.ClassIncomplete, ending: store.EndError},
		"not UTF-8":                 {steps: []string{"bad"}, class: lang.ClassUnparsable, ending: store.EndError},
		"good record, exit 3":       {steps: []string{good, "exit=3"}, class: lang.ClassError, ending: store.EndError, text: "fine", exit: 3},
		"good record, killed":       {steps: []string{good, "raise=9"}, class: lang.ClassError, ending: store.EndError, text: "fine", exit: -1},
		"good record and an error":  {steps: []string{`out={"result":"x","error":"quota"}` + "\n"}, class: lang.ClassError, ending: store.EndError, text: "x"},
		"the same conversation":     {steps: []string{good}, resume: "conv-1", text: "fine", ending: store.EndOK},
		"a different conversation":  {steps: []string{good}, resume: "conv-2", class: lang.ClassSession, ending: store.EndError, text: "fine"},
		"a surrogate without mate":  {steps: []string{`out={"result":"a\ud800b"}` + "\n"}, text: "a\ufffdb", ending: store.EndOK},
		"an answer with a NUL":      {steps: []string{`out={"result":"a\u0000b"}` + "\n"}, text: "a\x00b", ending: store.EndOK},
		"a warning on the terminal": {steps: []string{"err=deprecated!\n", good}, text: "fine", ending: store.EndOK},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, jsonl)
			args := map[string]any{"do": c.steps}
			if c.resume != "" {
				args["sessionId"] = c.resume
			}
			out := b.runner.Run(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: b.bind("x", args), Dir: b.dir})
			if class(out) != c.class || out.Answer.Text != c.text || out.ExitCode != c.exit {
				t.Errorf("class %q, text %q, exit %d; failure %+v", class(out), out.Answer.Text, out.ExitCode, out.Answer.Failure)
			}
			row := b.row(out)
			if row.Outcome.Ending != c.ending || row.Outcome.ErrorClass != c.class {
				t.Errorf("row: %s, class %q", row.Outcome.Ending, row.Outcome.ErrorClass)
			}
			if (row.Outcome.ExitCode == nil) != (c.exit < 0) {
				t.Errorf("exit code in the row: %v", row.Outcome.ExitCode)
			}
			if left := b.spooled(); len(left) > 0 {
				t.Errorf("left in the spool: %q", left)
			}
		})
	}
}

// cancelCause is the cause of a context that ends because a user wished so.
type cancelCause string

func (w cancelCause) Error() string        { return string(w) }
func (w cancelCause) CancelReason() string { return string(w) }

func TestCancelKillsTheTree(t *testing.T) {
	b := newFixture(t, jsonl)
	child, grandchild := filepath.Join(b.dir, "child"), filepath.Join(b.dir, "grandchild")
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan call.Completion, 1)
	req := b.request("deaf", "daemon="+grandchild, "pid="+child, "sleep")
	go func() { ended <- b.runner.Run(ctx, req) }()
	until(t, "the tree", func() bool { return pidIn(child) > 0 && pidIn(grandchild) > 0 })
	cancel(cancelCause(""))
	out := <-ended
	if class(out) != lang.ClassCanceled {
		t.Errorf("failure: %+v", out.Answer.Failure)
	}
	for _, file := range []string{child, grandchild} {
		if pid := pidIn(file); alive(pid) {
			t.Errorf("%s (%d) is still there", filepath.Base(file), pid)
		}
	}
	row := b.row(out)
	if row.Outcome.Signal == nil || *row.Outcome.Signal != int(syscall.SIGKILL) {
		t.Errorf("signal %v", row.Outcome.Signal)
	}
	if row.Outcome.Ending != store.EndCanceled || row.Outcome.Detail != "canceled by SIGKILL: canceled by its caller" {
		t.Errorf("row: %+v", row.Outcome)
	}
	if left := b.spooled(); len(left) > 0 {
		t.Errorf("left in the spool: %q", left)
	}
}

// TestExitZeroAfterCancel: it is no success, but for a program that came to its final record.
func TestExitZeroAfterCancel(t *testing.T) {
	for printed, want := range map[string]struct {
		class, text string
		ending      store.Ending
	}{
		`{"note":"stopped"}`: {lang.ClassCanceled, "", store.EndCanceled},
		`{"result":"fine"}`:  {"", "fine", store.EndOK},
	} {
		b := newFixture(t, jsonl)
		ready := filepath.Join(b.dir, "ready")
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan call.Completion, 1)
		req := b.request("polite="+printed+"\n", "pid="+ready, "sleep")
		go func() { ended <- b.runner.Run(ctx, req) }()
		until(t, "the child", func() bool { return pidIn(ready) > 0 })
		cancel(cancelCause("enough"))
		out := <-ended
		if class(out) != want.class || out.ExitCode != 0 || out.Answer.Text != want.text {
			t.Errorf("outcome: %+v, %+v", out, out.Answer.Failure)
		}
		if row := b.row(out); row.Outcome.Ending != want.ending || *row.Outcome.ExitCode != 0 {
			t.Errorf("row: %+v", row.Outcome)
		}
	}
}

// TestAProgramThatStaysIsSettled: its answer counts, and it is ended.
func TestAProgramThatStaysIsSettled(t *testing.T) {
	b := newFixture(t, jsonl+"output: settleMs: 100\n")
	child := filepath.Join(b.dir, "child")
	out := b.runner.Run(t.Context(), b.request(`out={"result":"fine"}`+"\n", "pid="+child, "sleep"))
	if class(out) != "" || out.Answer.Text != "fine" || !slices.Contains(out.Warnings, "acme did not exit by itself after its answer, and was ended") {
		t.Errorf("outcome: %+v, %+v", out, out.Answer.Failure)
	}
	if pid := pidIn(child); alive(pid) {
		t.Errorf("the child (%d) is still there", pid)
	}
	if row := b.row(out); row.Outcome.Ending != store.EndOK {
		t.Errorf("row: %+v", row.Outcome)
	}
}

// TestAnotherModelAnswered: the result says so, also when it is read from the record.
func TestAnotherModelAnswered(t *testing.T) {
	b := newFixture(t, jsonl+`
		params: model: {doc: "Model", env: "ACME_MODEL"}
		models: aliases: big: "big-9"`)
	for _, asked := range []string{"big-9", "big"} {
		bound := b.bind("hello", map[string]any{"model": asked, "do": []string{`out={"result":"fine","model":"small-2"}` + "\n"}})
		out := b.runner.Run(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: bound, Dir: b.dir})
		res, err := b.runner.Result(t.Context(), store.Local, out.ID, 0, 10)
		for _, warnings := range [][]string{out.Warnings, res.Outcome.Warnings} {
			if err != nil || !slices.Equal(warnings, []string{"acme answered with the model small-2, and was asked for big-9"}) {
				t.Errorf("%s: %q %v", asked, warnings, err)
			}
		}
	}
}

// TestKeyBesideALogin: that a key was used is told only where there is a login.
func TestKeyBesideALogin(t *testing.T) {
	b := newFixture(t, jsonl+`output: warnings: [{kind: "key", take: "event.key"}]
		login: {env: ["ACME_KEY"], files: ["~/.acme/login.json"]}`)
	req := b.request(`out={"result":"fine","key":"ACME_KEY"}` + "\n")
	if out := b.runner.Run(t.Context(), req); len(out.Warnings) > 0 {
		t.Errorf("without a login: %q", out.Warnings)
	}
	login := filepath.Join(b.home, ".acme", "login.json")
	if err := os.MkdirAll(filepath.Dir(login), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(login, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := b.runner.Run(t.Context(), req); len(out.Warnings) != 1 || !strings.HasPrefix(out.Warnings[0], "acme used the key in ACME_KEY, which takes precedence over its login") {
		t.Errorf("with a login: %q", out.Warnings)
	}
}

// TestQuestionEndsTheRun: a program that waits for a person is ended at once.
func TestQuestionEndsTheRun(t *testing.T) {
	b := newFixture(t, jsonl+`output: watch: [{line: "^Enter the code", class: "auth", hint: "log in first"}]`)
	child := filepath.Join(b.dir, "child")
	out := b.runner.Run(t.Context(), b.request("pid="+child, "err=Enter the code: ", "sleep"))
	f := out.Answer.Failure
	if f == nil || f.Class != "auth" || f.Hint != "log in first" || !strings.HasSuffix(f.Message, ": Enter the code:") {
		t.Errorf("outcome: %+v, %+v", out, f)
	}
	if pid := pidIn(child); alive(pid) {
		t.Errorf("the child (%d) is still there", pid)
	}
	row := b.row(out)
	if row.Outcome.Ending != store.EndError || row.Outcome.ErrorClass != "auth" || row.Outcome.Detail != "watched by SIGTERM" {
		t.Errorf("row: %+v", row.Outcome)
	}
	if res, err := b.runner.Result(t.Context(), store.Local, row.ID, 0, 10); err != nil || res.Outcome.Answer.Failure == nil || res.Outcome.Answer.Failure.Class != "auth" {
		t.Errorf("%+v %v", res, err)
	}
}

func TestCanceledBeforeItBegan(t *testing.T) {
	b := newFixture(t, jsonl)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	touched := filepath.Join(b.dir, "touched")
	if out := b.runner.Run(ctx, b.request("pid="+touched)); class(out) != lang.ClassCanceled {
		t.Errorf("failure: %+v", out.Answer.Failure)
	}
	if pidIn(touched) != 0 {
		t.Error("the program ran")
	}
}

func TestTimeouts(t *testing.T) {
	for name, c := range map[string]struct{ lines, class, detail string }{
		"idle": {"timeouts: idleMs: 1000", lang.ClassIdle, "idle_timeout"},
		"wall": {"timeouts: wallMs: 1000", lang.ClassTimeout, "wall_timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, jsonl+c.lines)
			out := b.runner.Run(t.Context(), b.request("err=still thinking", "sleep"))
			f := out.Answer.Failure
			if f == nil || f.Class != c.class || !strings.Contains(f.Message, "still thinking") || !f.Retryable {
				t.Errorf("failure: %+v", f)
			}
			if row := b.row(out); row.Outcome.Ending != store.EndTimeout || !strings.HasPrefix(row.Outcome.Detail, c.detail) {
				t.Errorf("row: %+v", row.Outcome)
			}
		})
	}
}

// TestLimits holds that what is said nearer to the call wins, also where it is 0.
func TestLimits(t *testing.T) {
	const general = "}\ngateway: timeouts: {idleMs: 4000, wallMs: 5000, graceMs: 6000}\ngateway: outputCap: 2048\nclient: c: {title: \"c\", add: \"c\""
	for name, c := range map[string]struct {
		lines            string
		args             map[string]any
		idle, wall, kill time.Duration
	}{
		"the gateway's": {"timeouts: {idleMs: null, graceMs: null}", nil, 4 * time.Second, 5 * time.Second, 6 * time.Second},
		"the CLI's":     {"timeouts: {idleMs: 7000, wallMs: 8000}", nil, 7 * time.Second, 8 * time.Second, 50 * time.Millisecond},
		"never":         {"timeouts: {idleMs: 0, wallMs: 0}", nil, 0, 0, 50 * time.Millisecond},
		"the call's": {"timeouts: {idleMs: 7000, wallMs: 0}", map[string]any{"idleTimeoutMs": 30000, "timeoutMs": 2000},
			30 * time.Second, 2 * time.Second, 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			lines := c.lines
			if name == "the gateway's" {
				lines = ""
			}
			b := newFixture(t, jsonl+lines+general)
			call := b.bind("x", c.args)
			if name == "the gateway's" {
				call.CLI.Timeouts = lang.Timeouts{}
			}
			l := environment.Limits(b.catalog, call)
			if l.Idle != c.idle || l.Wall != c.wall || l.Grace != c.kill || l.Output != 2048 {
				t.Errorf("%+v", l)
			}
		})
	}
	b := newFixture(t, "")
	call := b.bind("x", nil)
	none := int64(0)
	call.CLI.Timeouts.GraceMs = &none
	if l := environment.Limits(b.catalog, call); l.Grace <= 0 || l.Grace > time.Millisecond {
		t.Errorf("no grace became %s", l.Grace)
	}
}

func TestWorkingDirectoryAndEnvironment(t *testing.T) {
	b := newFixture(t, "", "ACME_ONE=1", "OTHER=2", "PWD=/elsewhere", "LLM_GATEWAY_JOB_ID=outer")
	out := b.runner.Run(t.Context(), b.request("dump"))
	var got struct {
		Env []string
		Dir string
	}
	if err := json.Unmarshal([]byte(out.Answer.Text), &got); err != nil {
		t.Fatal(err, out.Answer.Failure)
	}
	real, _ := filepath.EvalSymlinks(b.dir)
	if got.Dir != real {
		t.Errorf("ran in %s, want %s", got.Dir, real)
	}
	for _, want := range []string{"ACME_ONE=1", "PWD=" + b.dir, "LLM_GATEWAY_JOB_ID=" + out.ID} {
		if !slices.Contains(got.Env, want) {
			t.Errorf("no %s in %q", want, got.Env)
		}
	}
	if len(got.Env) != 6 { // these, PATH, HOME and the switch
		t.Errorf("environment: %q", got.Env)
	}
}

func TestCallThatNoCommandLineCanHold(t *testing.T) {
	b := newFixture(t, "")
	out := b.runner.Run(t.Context(), b.request("--evil"))
	if class(out) != lang.ClassUsage || !strings.Contains(out.Answer.Failure.Message, "begins with a dash") || out.Answer.Failure.Hint == "" {
		t.Errorf("failure: %+v", out.Answer.Failure)
	}
	if rows, err := b.store.Jobs(t.Context(), store.Filter{Principal: store.Local}); err != nil || len(rows) != 0 {
		t.Errorf("rows: %v, %v", rows, err)
	}
}

func TestExcerptIsWarnedOf(t *testing.T) {
	b := newFixture(t, "prompt: excerptBytes: 5\nparams: n: {doc: \"n\", type: \"int\", env: \"ACME_N\"}")
	out := b.runner.Run(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: b.bind("hello", map[string]any{"do": []string{"getenv=ACME_N"}, "n": 7}), Dir: b.dir})
	if class(out) != "" || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "excerpt of prompts from 5 bytes on; this one has 5") {
		t.Errorf("outcome: %+v, %+v", out, out.Answer.Failure)
	}
	if row := b.row(out); row.Outcome.Response != "7" || !strings.Contains(string(row.Args), `"n":7`) {
		t.Errorf("row: %q, %s", row.Outcome.Response, row.Args)
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	b := newFixture(t, "")
	one := b.runner.Run(t.Context(), b.request("out=warm"))
	if class(one) != "" {
		t.Fatal(one.Answer.Failure)
	}
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	const n = 64
	outs := make([]call.Completion, n)
	var wg sync.WaitGroup
	for i := range n {
		req := b.request(fmt.Sprintf("out=answer %d", i))
		wg.Go(func() { outs[i] = b.runner.Run(t.Context(), req) })
	}
	wg.Wait()
	ids := map[string]bool{}
	for i, out := range outs {
		if out.Answer.Text != fmt.Sprintf("answer %d", i) || out.Warnings != nil {
			t.Errorf("call %d: %+v, %+v", i, out, out.Answer.Failure)
		}
		ids[out.ID] = true
		b.row(out)
	}
	if len(ids) != n {
		t.Errorf("%d ids for %d calls", len(ids), n)
	}
	b.runner.executor().close() // those who wait for the next job are no leak
	until(t, "the end of all goroutines", func() bool { return runtime.NumGoroutine() <= goroutines+2 })
	until(t, "the close of all files", func() bool { return openFiles(t) <= files+4 }) // the database's own pool
	if left := b.spooled(); len(left) > 0 {
		t.Errorf("left in the spool: %q", left)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc")
	}
	return len(entries)
}

func (b *fixture) envFile(text string) {
	b.t.Helper()
	file := filepath.Join(b.home, "keys.env")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.runner.Host = host.New([]string{"HOME=" + b.home, "PATH=" + os.Getenv("PATH")}, nil, file)
}
