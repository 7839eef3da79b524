package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process/limits"
	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

// CookieName is the environment variable that names the job a process belongs
// to. A child has it exactly once, with the value of Command.Cookie.
const CookieName = proctree.CookieName

// Limits bounds a command. The zero value of a field means its default.
type Limits = limits.Limits

// Capture says which bytes of an output file are output that was kept.
type Capture = limits.Capture

// Reason says who ended a command.
type Reason = limits.Reason

const (
	Exited      = limits.Exited      // the command itself, by exit or by a signal not ours
	Canceled    = limits.Canceled    // the caller
	IdleTimeout = limits.IdleTimeout // Limits.Idle
	WallTimeout = limits.WallTimeout // Limits.Wall
	OutputCap   = limits.OutputCap   // Limits.Output, on a file system that cannot drop the middle of a file
	OutputLost  = limits.OutputLost  // an output file could no longer be watched; Exit.Err says why
)

// Command says what to run.
type Command struct {
	// Path is the absolute path of the executable.
	Path string
	// Args are the arguments without the program's own name.
	Args []string
	// Env is the complete environment as KEY=VALUE; a CookieName in it is replaced.
	Env []string
	// Dir is the working directory; empty means our own.
	Dir string
	// Stdin is a regular file that the child reads from its current offset; nil
	// means an empty input. It may be closed as soon as Start returns.
	Stdin *os.File
	// Stdout and Stderr are empty regular files open for reading and writing. Both
	// must stay open until Done, and may be the same file. They are put into
	// append mode: a child that truncates its output, or opens /dev/stdout a second
	// time, would otherwise go on at its old offset and leave a run of NULs.
	Stdout, Stderr *os.File
	// Cookie is the job's id. It must not be empty and not be shared by commands
	// that run at the same time: the processes that carry it end with the command.
	Cookie string
}

// Exit is how a command ended.
type Exit struct {
	// Code is the exit code, or -1 if a signal ended the command.
	Code int
	// Signal is the name of that signal ("SIGKILL"), or empty.
	Signal string
	// SignalNumber is its number on this system, or 0.
	SignalNumber int
	// Reason says who ended the command. After a Stop the command may still have
	// exited with code 0: several real ones do.
	Reason Reason
	// Stdout and Stderr say which bytes of the files are the output.
	Stdout, Stderr Capture
	// Started and Ended bound the life of the command itself, without the search
	// for its descendants.
	Started, Ended time.Time
	// Swept counts processes of the command that were still there after it ended
	// and had to be ended by us.
	Swept int
	// Left lists processes that did not go although they were killed, or that we
	// may not signal. Whoever starts something else in their place should know.
	Left []int
	// Err is not nil if the output may be incomplete (ErrNoSpace: the disk is full),
	// or if something about the end could not be found out.
	Err error
}

// Process is a started command.
type Process struct {
	child *child
	lim   Limits
	out   [2]*limits.Output

	stop chan Reason // with room for the first
	done chan struct{}
	exit Exit
}

// Start runs c until it ends by itself, by Stop or by a limit. Errors wrap one
// of ErrCommand, ErrNotFound, ErrNotExecutable, ErrFormat, ErrDir and ErrTooBig
// if the cause is known, and say what to do about it; nothing runs then.
func Start(c Command, l Limits) (*Process, error) {
	return start(c, l, limits.PunchHole)
}

func start(c Command, l Limits, punch limits.Punch) (*Process, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	l = l.WithDefaults()
	p := &Process{
		lim:  l,
		out:  [2]*limits.Output{limits.NewOutput(c.Stdout, l.Output, punch), limits.NewOutput(c.Stderr, l.Output, punch)},
		stop: make(chan Reason, 1),
		done: make(chan struct{}),
	}
	if c.Stdin == nil {
		null, err := os.Open(os.DevNull)
		if err != nil {
			return nil, err
		}
		defer null.Close()
		c.Stdin = null
	}
	for _, f := range []*os.File{c.Stdout, c.Stderr} {
		if err := setAppend(f); err != nil {
			return nil, fmt.Errorf("%w: %s: append mode: %w", ErrCommand, f.Name(), err)
		}
	}
	c.Env = proctree.WithCookie(c.Env, c.Cookie)
	p.exit.Started = time.Now()
	var err error
	if p.child, err = startChild(c); err != nil {
		return nil, explain(c, err)
	}
	go p.run()
	return p, nil
}

// Pid returns the process id of the command. It is for display: the id may be
// another process's as soon as Done is closed.
func (p *Process) Pid() int { return p.child.pid }

// Done returns a channel that is closed when the command and all it started
// are gone and Exit is known.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit waits for Done and returns how the command ended.
func (p *Process) Exit() Exit {
	<-p.done
	return p.exit
}

// Stop ends the command and all its descendants: SIGTERM, and SIGKILL after
// Limits.Grace. It does not wait. The first reason counts; later calls, and
// calls after the end, do nothing.
func (p *Process) Stop(r Reason) {
	select {
	case p.stop <- r:
	default:
	}
}

func (c *Command) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrCommand}, args...)...)
	}
	if !filepath.IsAbs(c.Path) {
		return bad("the path %q is not absolute", c.Path)
	}
	if c.Cookie == "" {
		return bad("it has no cookie")
	}
	hasNUL := func(s string) bool { return strings.IndexByte(s, 0) >= 0 }
	if i := slices.IndexFunc(c.Args, hasNUL); i >= 0 {
		return bad("argument %d contains a NUL byte", i+1)
	}
	// The text does not quote an environment entry: it may be a secret.
	if i := slices.IndexFunc(c.Env, hasNUL); i >= 0 {
		return bad("environment entry %d contains a NUL byte", i+1)
	}
	if hasNUL(c.Path) || hasNUL(c.Dir) || hasNUL(c.Cookie) {
		return bad("its path, directory or cookie contains a NUL byte")
	}
	for name, f := range map[string]*os.File{"stdin": c.Stdin, "stdout": c.Stdout, "stderr": c.Stderr} {
		if f == nil {
			if name == "stdin" {
				continue
			}
			return bad("it has no file for %s", name)
		}
		st, err := f.Stat()
		switch {
		case err != nil:
			return bad("%s: %w", name, err)
		case !st.Mode().IsRegular():
			return bad("%s (%s) is not a regular file; a child that exits early loses what it wrote into a pipe", name, f.Name())
		case name != "stdin" && st.Size() != 0:
			return bad("%s (%s) is not empty", name, f.Name())
		}
	}
	return nil
}

// Causes of a failed Start, and ErrNoSpace as a condition of an Exit.
var (
	ErrCommand       = errors.New("invalid command")
	ErrNotFound      = errors.New("no such program")
	ErrNotExecutable = errors.New("not executable")
	ErrFormat        = errors.New("not a program for this machine")
	ErrDir           = errors.New("unusable working directory")
	ErrTooBig        = errors.New("arguments too long")
	ErrNoSpace       = errors.New("disk full")
)
