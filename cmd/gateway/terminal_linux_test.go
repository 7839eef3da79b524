package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// screen is what a person sees of what was written to a terminal of so many columns.
// It knows what we use, and fails at all else.
type screen struct {
	width    int
	lines    []string
	row, col int
	wrap     bool
	pending  string // the beginning of an escape sequence
}

func newScreen(width int) *screen { return &screen{width: width, lines: []string{""}, wrap: true} }

var escape = regexp.MustCompile(`^\x1b\[([0-9?;]*)([A-Za-z])`)

func (s *screen) write(text string) error {
	text, s.pending = s.pending+text, ""
	for text != "" {
		c := text[0]
		if c != '\x1b' {
			text = text[1:]
			s.put(c)
			continue
		}
		found := escape.FindStringSubmatch(text)
		switch {
		case found == nil && len(text) < 8:
			s.pending = text
			return nil
		case found == nil:
			return fmt.Errorf("no escape sequence: %q", text)
		}
		text = text[len(found[0]):]
		switch found[1] + found[2] {
		case "K":
			s.lines[s.row] = s.lines[s.row][:min(s.col, len(s.lines[s.row]))]
		case "H":
			s.row, s.col = 0, 0
		case "2J":
			s.lines = make([]string, len(s.lines))
		case "?7l":
			s.wrap = false
		case "?7h":
			s.wrap = true
		default:
			return fmt.Errorf("unknown escape sequence %q", found[0])
		}
	}
	return nil
}

func (s *screen) put(c byte) {
	switch c {
	case '\r':
		s.col = 0
		return
	case '\n':
		s.row++
	default:
		if s.col == s.width {
			if !s.wrap {
				s.col--
			} else {
				s.row, s.col = s.row+1, 0
			}
		}
	}
	for len(s.lines) <= s.row {
		s.lines = append(s.lines, "")
	}
	if c == '\n' {
		return
	}
	line := []byte(s.lines[s.row] + strings.Repeat(" ", max(0, s.col+1-len(s.lines[s.row]))))
	line[s.col] = c
	s.lines[s.row] = string(line)
	s.col++
}

// shown are the lines down to the last that is not empty.
func (s *screen) shown() []string {
	lines := slices.Clone(s.lines)
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// session is a command that runs in a terminal.
type session struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	screen *screen
	output chan string // closed when nobody has the terminal any more
}

// inTerminal starts a command in a terminal of its own.
func inTerminal(t *testing.T, width int, args ...string) *session {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there are no terminals here: ", err)
	}
	t.Cleanup(func() { master.Close() })
	var number, locked int32
	for request, value := range map[uintptr]*int32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &locked} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 {
			t.Fatal(errno)
		}
	}
	slave, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there are no terminals here: ", err)
	}
	defer slave.Close()
	s := &session{t: t, master: master, cmd: exec.Command("gateway", args...), screen: newScreen(width), output: make(chan string)}
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = slave, slave, slave
	s.cmd.Env = append(os.Environ(), "TERM=xterm")
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill() })
	go func() {
		defer close(s.output)
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			if err != nil { // EIO: the other end is closed
				return
			}
			s.output <- string(b[:n])
		}
	}()
	return s
}

// until waits until the screen looks as it should, or to the end.
func (s *session) until(what string, looks func(lines []string) bool) []string {
	s.t.Helper()
	patience := time.After(30 * time.Second)
	for !looks(s.screen.shown()) {
		select {
		case text, more := <-s.output:
			if !more {
				s.t.Fatalf("never: %s; the screen is\n%s", what, strings.Join(s.screen.shown(), "\n"))
			}
			if err := s.screen.write(text); err != nil {
				s.t.Fatal(err)
			}
		case <-patience:
			s.t.Fatalf("not for long: %s; the screen is\n%s", what, strings.Join(s.screen.shown(), "\n"))
		}
	}
	return s.screen.shown()
}

// end waits for the end of the command, and returns what it leaves on the screen.
func (s *session) end(code int) []string {
	s.t.Helper()
	for text := range s.output {
		if err := s.screen.write(text); err != nil {
			s.t.Fatal(err)
		}
	}
	err := s.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, want %d", got, code)
	}
	return s.screen.shown()
}

// interrupt types Ctrl-C.
func (s *session) interrupt() {
	s.t.Helper()
	if _, err := s.master.WriteString("\x03"); err != nil {
		s.t.Fatal(err)
	}
}

// watched is a job that prints something at each gate that is opened.
type watched struct {
	t     *testing.T
	specs string
	id    string
	gates []string
}

const watchedSpec = `cli: acme: {
	bin:  "fake-agent"
	argv: ["{params}"]
	params: {
		one: {doc: "1", flag: "--print"}
		part: {doc: "P", flag: "--type"}
		gate: {doc: "G", flag: "--await"}
		two: {doc: "2", flag: "--complain"}
		rest: {doc: "3", flag: "--await-too"}
	}
}`

func startWatched(t *testing.T, one, two string, more ...string) *watched {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	w := &watched{t: t, specs: filepath.Join(home, "specs")}
	if err := errors.Join(os.Mkdir(w.specs, 0o700), os.WriteFile(filepath.Join(w.specs, "acme.cue"), []byte(watchedSpec), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gate", "rest"} {
		path := filepath.Join(home, name)
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		w.gates = append(w.gates, path)
	}
	out := w.gateway(append([]string{"call", "acme_request_async", "--format", "json", "prompt=x", "one=" + one, "gate=" + w.gates[0], "two=" + two, "rest=" + w.gates[1]}, more...)...)
	found := regexp.MustCompile(`"jobId": "(\w+)"`).FindStringSubmatch(out)
	if found == nil {
		t.Fatal(out)
	}
	w.id = found[1]
	t.Cleanup(func() { w.gateway("jobs", "cancel", w.id) })
	return w
}

func (w *watched) gateway(args ...string) string {
	w.t.Helper()
	out, err := exec.Command("gateway", append(args, "--specs", w.specs)...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// open opens the next gate, once the job is at it.
func (w *watched) open() {
	w.t.Helper()
	file, err := os.OpenFile(w.gates[0], os.O_WRONLY, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	w.gates = w.gates[1:]
	_, err = io.WriteString(file, "")
	if err := errors.Join(err, file.Close()); err != nil {
		w.t.Fatal(err)
	}
}

func last(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}

// TestFollowInATerminal: what the job prints scrolls past above one line that says where
// it stands, however long that is; and the line leaves nothing behind.
func TestFollowInATerminal(t *testing.T) {
	const width = 40
	w := startWatched(t, "hello", strings.Repeat("a long complaint ", 5))
	s := inTerminal(t, width, "jobs", "follow", w.id, "--specs", w.specs)
	live := func(text string) func([]string) bool {
		return func(lines []string) bool {
			return strings.HasPrefix(last(lines), "acme running for ") && strings.Contains(last(lines), text) && slices.Contains(lines, "hello")
		}
	}
	if lines := s.until("where it stands", live("6 bytes hello")); len(lines) != 2 {
		t.Errorf("the screen is %q", lines)
	}
	w.open()
	s.until("where it stands now", live("92 bytes"))
	w.open()
	want := append([]string{"hello"}, wrapped(strings.Repeat("a long complaint ", 5), width)...)
	want = append(want, wrapped("Job "+w.id+" completed.", width)...)
	if lines := s.end(0); !slices.Equal(lines, want) {
		t.Errorf("the screen is %q, want %q", lines, want)
	}
}

func wrapped(text string, width int) (lines []string) {
	for ; len(text) > width; text = text[width:] {
		lines = append(lines, text[:width])
	}
	return append(lines, text)
}

// TestFollowHalfALine: a line that has not ended is left as it is.
func TestFollowHalfALine(t *testing.T) {
	w := startWatched(t, "hello", "bye", "part=and ")
	s := inTerminal(t, 120, "jobs", "follow", w.id, "--specs", w.specs)
	half := func(lines []string) bool { return slices.Equal(lines, []string{"hello", "and "}) }
	s.until("half a line", half)
	w.open()
	s.until("where it stands", func(lines []string) bool {
		return len(lines) == 3 && lines[1] == "and bye" && strings.HasPrefix(lines[2], "acme running")
	})
	w.open()
	if want, lines := []string{"hello", "and bye", "Job " + w.id + " completed."}, s.end(0); !slices.Equal(lines, want) {
		t.Errorf("the screen is %q", lines)
	}

	w = startWatched(t, "hello", "bye", "part=and ")
	s = inTerminal(t, 120, "jobs", "follow", w.id, "--specs", w.specs)
	s.until("half a line", half)
	w.gateway("jobs", "cancel", w.id)
	if want, lines := []string{"hello", "and ", "Job " + w.id + " was canceled."}, s.end(1); !slices.Equal(lines, want) {
		t.Errorf("the screen is %q", lines)
	}
}

// TestAnInterruptEndsTheWatching, and not the job.
func TestAnInterruptEndsTheWatching(t *testing.T) {
	w := startWatched(t, "hello", "bye")
	s := inTerminal(t, 120, "jobs", "follow", w.id, "--specs", w.specs)
	s.until("where it stands", func(lines []string) bool {
		return len(lines) == 2 && lines[0] == "hello" && strings.HasPrefix(lines[1], "acme running")
	})
	s.interrupt()
	if lines := s.end(stillRunning); !slices.Equal(lines, []string{"hello"}) {
		t.Errorf("the screen is %q", lines)
	}
	w.open()
	w.open()
	if out := w.gateway("jobs", "follow", w.id); out != "hello\nbye\nJob "+w.id+" completed.\n" {
		t.Errorf("followed again: %q", out)
	}
}

// TestWatchInATerminal: the list is one page that changes with the jobs.
func TestWatchInATerminal(t *testing.T) {
	w := startWatched(t, "hello", "bye")
	s := inTerminal(t, 200, "jobs", "list", "--watch", "--specs", w.specs)
	row := func(state string) func([]string) bool {
		return func(lines []string) bool {
			return len(lines) == 2 && strings.HasPrefix(lines[0], "ID ") && strings.HasPrefix(lines[1], w.id) && strings.Contains(lines[1], " "+state+" ")
		}
	}
	s.until("a job that runs", row("running"))
	w.open()
	w.open()
	s.until("a job that has ended", row("completed"))
	s.interrupt()
	if lines := s.end(0); !row("completed")([]string{lines[0], lines[1]}) {
		t.Errorf("the screen is %q", lines)
	}
}
