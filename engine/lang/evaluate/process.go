package evaluate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// readyName is the variable by which the process knows that it was started for this.
const readyName = "GATEWAY_EVALUATION"

// starting is how long the process may take until it is ready.
const starting = time.Minute

// Process evaluates files, one at a time. It starts when there is a file to evaluate, and
// again after it was ended.
type Process struct {
	ctx     context.Context
	observe func(file string, l load.Limits) (done func())
	child   *child
}

// New returns a Process that ends with ctx, or when it is closed. The function observe is
// called when the evaluation of a file begins, and what it returns when that is over; nil
// for no such calls.
func New(ctx context.Context, observe func(file string, l load.Limits) (done func())) *Process {
	return &Process{ctx: ctx, observe: observe}
}

// Evaluate is a load.Evaluator.
func (p *Process) Evaluate(f specfiles.File, l load.Limits) ([]byte, error) {
	if p.observe != nil {
		defer p.observe(f.Name, l)()
	}
	if p.child != nil && p.child.memory != l.Memory {
		p.Close()
	}
	if p.child == nil {
		c, err := start(p.ctx, l.Memory)
		if err != nil {
			return nil, err
		}
		p.child = c
	}
	answer, err := p.child.ask(p.ctx, f, l.Time)
	if err != nil {
		p.Close()
	}
	return answer, err
}

// Close ends the process, if there is one.
func (p *Process) Close() {
	if p.child != nil {
		p.child.end()
		p.child = nil
	}
}

// child is a running process.
type child struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.ReadCloser
	errors *beginning
	memory int // its limit in megabytes
}

// start returns when the process is ready.
func start(ctx context.Context, megabytes int) (*child, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	program, err := executable()
	if err != nil {
		return nil, err
	}
	c := &child{memory: megabytes, errors: &beginning{}}
	c.cmd = exec.Command(program)
	c.cmd.Args = []string{processName, strconv.Itoa(megabytes)}
	c.cmd.Env = []string{readyName + "=1", "GOTRACEBACK=none", "GOGC=200"}
	c.cmd.Stderr = c.errors
	c.cmd.SysProcAttr = apart()
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if c.out, err = c.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("its process cannot be started: %w", err)
	}
	_, err = within(ctx, starting, c, func() ([]byte, error) {
		var first [1]byte
		_, err := io.ReadFull(c.out, first[:])
		return nil, err
	})
	if err != nil {
		c.end()
		return nil, c.reason(ctx, err)
	}
	return c, nil
}

func executable() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil // also after the file was replaced
	}
	return os.Executable()
}

// ask has a file evaluated within the time. After an error the process must be ended.
func (c *child) ask(ctx context.Context, f specfiles.File, most time.Duration) ([]byte, error) {
	answer, err := within(ctx, most, c, func() ([]byte, error) {
		if err := errors.Join(writeFrame(c.in, []byte(f.Name)), writeFrame(c.in, f.Data)); err != nil {
			return nil, err
		}
		return readFrame(c.out)
	})
	if err != nil {
		c.end()
		return nil, c.reason(ctx, err)
	}
	return answer, nil
}

// within calls talk, which fails at once when the context ends or the time is over: the
// process is killed then. The error is load.ErrTime in the latter case.
func within(ctx context.Context, most time.Duration, c *child, talk func() ([]byte, error)) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, most, load.ErrTime)
	defer cancel()
	killed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(killed); _ = c.cmd.Process.Kill() })
	answer, err := talk()
	if !stop() {
		<-killed
		return nil, context.Cause(ctx)
	}
	return answer, err
}

// end kills the process and waits until it is gone.
func (c *child) end() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// reason is why the process has no answer; it is gone.
func (c *child) reason(ctx context.Context, err error) error {
	said := c.errors.String()
	state := c.cmd.ProcessState
	switch {
	case errors.Is(err, load.ErrTime):
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case state != nil && state.ExitCode() == memoryExit, outOfMemory(said):
		return load.ErrMemory
	}
	if line, _, _ := strings.Cut(strings.TrimSpace(said), "\n"); line != "" {
		return errors.New(line)
	}
	return fmt.Errorf("%w (%v)", err, state)
}

// outOfMemory reports whether the Go runtime gave up for lack of memory.
func outOfMemory(said string) bool {
	for _, words := range []string{"out of memory", "cannot allocate memory", "stack overflow", "stack exceeds"} {
		if strings.Contains(said, words) {
			return true
		}
	}
	return false
}

// beginning keeps the beginning of what is written to it.
type beginning struct{ bytes.Buffer }

func (b *beginning) Write(p []byte) (int, error) {
	const most = 4096
	b.Buffer.Write(p[:min(len(p), max(0, most-b.Len()))])
	return len(p), nil
}
