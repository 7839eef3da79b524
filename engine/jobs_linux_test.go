package engine_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// gatewayProcess is a gateway in a process and a process group of its own.
type gatewayProcess struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
}

func startGateway(t *testing.T, home, specs string, environ ...string) *gatewayProcess {
	t.Helper()
	p := &gatewayProcess{t: t, cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append([]string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), serveSwitch + "=" + specs}, environ...)
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	p.lines = bufio.NewScanner(out)
	p.lines.Buffer(nil, 1<<20)
	p.ask("initialize", `{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"desk","version":"7"}}`)
	fmt.Fprintln(p.in, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return p
}

func (p *gatewayProcess) ask(method, params string) (m message) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.in, `{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`+"\n", method, params); err != nil {
		p.t.Fatal(err)
	}
	if !p.lines.Scan() {
		p.t.Fatalf("the gateway is gone: %v", p.lines.Err())
	}
	if err := json.Unmarshal(p.lines.Bytes(), &m); err != nil {
		p.t.Fatalf("%v: %s", err, p.lines.Bytes())
	}
	return m
}

// submit starts a job and returns its id.
func (p *gatewayProcess) submit(do ...string) string {
	p.t.Helper()
	m := p.ask("tools/call", fmt.Sprintf(`{"name":"acme_request_async","arguments":%s}`, steps(p.t, do...)))
	id, _ := m.Result.StructuredContent["jobId"].(string)
	if m.Result.IsError || m.Result.StructuredContent["status"] != "running" || m.Result.StructuredContent["durable"] != true || !store.ValidID(id) {
		p.t.Fatalf("%+v", m.Result)
	}
	return id
}

// jobTold is the structured result of a tool about a job.
func jobTold(t *testing.T, e *engine.Engine, tool, id, more string) map[string]any {
	t.Helper()
	r := e.Tools.Call(t.Context(), call.Request{Tool: tool, Args: json.RawMessage(fmt.Sprintf(`{"jobId":%q%s}`, id, more))})
	var s map[string]any
	if err := json.Unmarshal(r.Structured, &s); err != nil {
		t.Fatal(err)
	}
	s["response"] = r.Response
	return s
}

// shoot kills a process and all below it, as clients do that walk the parents of
// processes.
func shoot(pid int) error {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return err
	}
	parents := map[int]int{}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		var child, parent int
		var state string
		if _, err := fmt.Sscan(string(text[:strings.IndexByte(string(text), ' ')]), &child); err != nil {
			return err
		}
		if _, err := fmt.Sscan(string(text[strings.LastIndexByte(string(text), ')')+1:]), &state, &parent); err != nil {
			return err
		}
		parents[child] = parent
	}
	for child := range parents {
		for at, steps := child, 0; at > 1 && steps < 100; at, steps = parents[at], steps+1 {
			if parents[at] == pid {
				if err := syscall.Kill(child, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
					return err
				}
			}
		}
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

// TestAJobOutlivesItsGateway: whatever happens to the gateway, the job goes on, the
// next gateway knows it at once, and its whole answer is there.
func TestAJobOutlivesItsGateway(t *testing.T) {
	for name, end := range map[string]func(p *gatewayProcess) error{
		"kill -9":           func(p *gatewayProcess) error { return p.cmd.Process.Kill() },
		"its group is shot": func(p *gatewayProcess) error { return syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) },
		"its tree is shot":  func(p *gatewayProcess) error { return shoot(p.cmd.Process.Pid) },
		"SIGTERM":           func(p *gatewayProcess) error { return p.cmd.Process.Signal(syscall.SIGTERM) },
		"end of input":      func(p *gatewayProcess) error { return p.in.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			e, home := opened(t, fake(t))
			specs := folder(t, t.TempDir(), "acme.cue", fake(t))
			gate := filepath.Join(home, "gate")
			if err := syscall.Mkfifo(gate, 0o600); err != nil {
				t.Fatal(err)
			}
			p := startGateway(t, home, specs)
			id := p.submit("out=the whole ", "await="+gate, "out=answer")
			if err := end(p); err != nil {
				t.Fatal(err)
			}
			p.cmd.Wait()

			if s := jobTold(t, e, "llm_job_status", id, ""); s["status"] != "running" || s["cli"] != "acme" {
				t.Fatalf("after the end of its gateway: %v", s)
			}
			writer, err := os.OpenFile(gate, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			writer.Close()
			if s := jobTold(t, e, "llm_job_result", id, `,"waitMs":30000`); s["status"] != "completed" || s["response"] != "the whole answer" || s["truncated"] != false {
				t.Fatalf("its end: %v", s)
			}
			records, err := e.Record()
			if err != nil {
				t.Fatal(err)
			}
			rows, err := records.Jobs(t.Context(), store.Filter{Principal: store.Local})
			if err != nil || len(rows) != 1 || rows[0].Outcome.Ending != store.EndOK || rows[0].Outcome.Response != "the whole answer" || rows[0].ClientName != "desk" {
				t.Errorf("rows %+v, %v", rows, err)
			}
		})
	}
}

// TestServingFinishesTheRowsOfOthers: a gateway that serves records the ends of jobs that
// nobody asks about.
func TestServingFinishesTheRowsOfOthers(t *testing.T) {
	e, home := opened(t, fake(t))
	p := startGateway(t, home, folder(t, t.TempDir(), "acme.cue", fake(t)))
	gate := filepath.Join(home, "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	id := p.submit("await="+gate, "out=fine")
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.cmd.Wait()
	writer, err := os.OpenFile(gate, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	writer.Close()
	until(t, "the end of the job", func() bool {
		status, err := os.ReadFile(filepath.Join(home, ".llm-cli-gateway", "jobs", id, "status"))
		return err == nil && strings.Contains(string(status), "reason=exit")
	})
	connect(t, e, "desk")
	records, err := e.Record() // what opens it is a call, as a rule
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the end of the row", func() bool {
		row, err := records.Job(t.Context(), store.Local, id)
		return err == nil && row.State == store.Done && row.Outcome.Response == "fine"
	})
}

// TestWaitsReport: who waits for a job hears of its progress.
func TestWaitsReport(t *testing.T) {
	e, _ := opened(t, fake(t))
	r := e.Tools.Call(t.Context(), call.Request{Tool: "acme_request_async", Args: steps(t, "out=abc", "sleep")})
	var s struct{ JobID string }
	if err := json.Unmarshal(r.Structured, &s); err != nil || s.JobID == "" {
		t.Fatalf("%+v %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var said string
	began := time.Now()
	e.Tools.Call(ctx, call.Request{Tool: "llm_job_status", Args: json.RawMessage(fmt.Sprintf(`{"jobId":%q,"waitMs":60000}`, s.JobID)), Interaction: call.Interaction{Progress: func(m string) {
		if said = m; m == "acme: abc" {
			cancel() // the wait ends with its caller
		}
	}}})
	if said != "acme: abc" || time.Since(began) > 50*time.Second {
		t.Errorf("said %q, for %s", said, time.Since(began))
	}
	if end := jobTold(t, e, "llm_job_cancel", s.JobID, ""); end["status"] != "canceled" || end["exitCode"] != nil {
		t.Errorf("%v", end)
	}
}
