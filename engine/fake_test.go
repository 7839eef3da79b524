//go:build unix

package engine_test

import (
	"bufio"
	"context"
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

	"github.com/llm-cli-gateway/gateway/engine"
)

const (
	fakeSwitch = "ACME_FAKE"

	// serveSwitch makes the test binary a gateway with the specs of a folder.
	serveSwitch = "ACME_GATEWAY"
)

// TestMain makes the test binary the CLI of its own tests: with the switch set it
// carries out its arguments one after the other.
func TestMain(m *testing.M) {
	if os.Getenv(fakeSwitch) == "" {
		if os.Getenv(serveSwitch) != "" {
			serveAlone()
		}
		os.Exit(m.Run())
	}
	for _, step := range os.Args[1:] {
		name, arg, _ := strings.Cut(step, "=")
		if err := fakeStep(name, arg); err != nil {
			fmt.Fprintln(os.Stderr, "fake:", err)
			syscall.Exit(99)
		}
	}
	syscall.Exit(0)
}

func serveAlone() {
	e, diags := engine.Open(engine.Options{Specs: []string{os.Getenv(serveSwitch)}, Environ: os.Environ(), Version: "test"})
	if e == nil {
		fmt.Fprintln(os.Stderr, diags)
		syscall.Exit(98)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	_ = e.Serve(ctx, os.Stdin, os.Stdout, 0)
	e.Close()
	syscall.Exit(0)
}

func fakeStep(name, arg string) error {
	switch name {
	case "out":
		_, err := os.Stdout.WriteString(arg)
		return err
	case "getenv":
		_, err := os.Stdout.WriteString(os.Getenv(arg))
		return err
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
	case "pid":
		if err := os.WriteFile(arg+"~", []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
			return err
		}
		return os.Rename(arg+"~", arg)
	case "touch": // a file of its own, with a name that begins so
		file, err := os.CreateTemp(filepath.Dir(arg), filepath.Base(arg)+"*")
		if err != nil {
			return err
		}
		return file.Close()
	case "daemon": // a grandchild in a session of its own that ignores SIGTERM
		cmd := exec.Command(os.Args[0], "deaf", "pid="+arg, "sleep")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return cmd.Start()
	case "await": // the writer of a FIFO
		file, err := os.Open(arg)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, file)
		return err
	case "create", "start", "resume", "latest":
		return talk(name, arg)
	case "replay":
		return replay(arg, os.Args[2:])
	case "die":
		syscall.Exit(3)
	case "sleep":
		time.Sleep(time.Hour)
	default:
		return fmt.Errorf("no step %q", name)
	}
	return nil
}

// fake is the spec of a CLI that does what its parameter says.
func fake(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`cli: acme: {bin: %q, argv: ["{do}"], params: do: {doc: "Steps", type: "list"}
		env: {set: ACME_FAKE: "1", pass: ["ACME_*"]}, timeouts: graceMs: 50}`, self)
}

// steps are the arguments of a call of the fake.
func steps(t *testing.T, do ...string) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(map[string]any{"prompt": "x", "do": do})
	if err != nil {
		t.Fatal(err)
	}
	return text
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

// client speaks MCP with an engine over pipes.
type client struct {
	t      *testing.T
	in     *io.PipeWriter
	lines  *bufio.Scanner
	served chan error
}

// message is whatever the server sends.
type message struct {
	ID     any
	Method string
	Params struct {
		ProgressToken any
		Message       string
	}
	Result struct {
		ServerInfo struct{ Name, Version string }
		Tools      []struct {
			Name                      string
			InputSchema, OutputSchema json.RawMessage
		}
		RequestState string

		Resources         []struct{ URI string }
		ResourceTemplates []struct{ URITemplate string }
		Contents          []struct{ URI, MIMEType, Text string }

		IsError bool
		Content []struct{ Type, Text string }

		StructuredContent map[string]any
	}
	Error *struct{ Message string }
}

func connect(t *testing.T, e *engine.Engine, name string) *client {
	t.Helper()
	return connectAs(t, e, name, "{}")
}

// connectAs is connect with the capabilities of the client, a JSON object.
func connectAs(t *testing.T, e *engine.Engine, name, capabilities string) *client {
	t.Helper()
	serverIn, in := io.Pipe()
	out, serverOut := io.Pipe()
	c := &client{t: t, in: in, lines: bufio.NewScanner(out), served: make(chan error, 1)}
	c.lines.Buffer(nil, 1<<20)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.served <- e.Serve(ctx, serverIn, serverOut, time.Minute)
		serverOut.Close()
	}()
	t.Cleanup(func() { // what it does beside writes below a folder that is removed next
		cancel()
		in.Close()
		out.Close()
		<-ended
	})
	c.send(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":%s,"clientInfo":{"name":%q,"version":"7"}}}`, capabilities, name)
	if m := c.recv(); m.Result.ServerInfo.Name != "llm-cli-gateway" || m.Result.ServerInfo.Version != "test" {
		t.Fatalf("initialize: %+v", m)
	}
	c.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return c
}

func (c *client) send(format string, args ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.in, format+"\n", args...); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) call(id int, args json.RawMessage) {
	c.t.Helper()
	c.send(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"acme_request","arguments":%s,"_meta":{"progressToken":"p%d"}}}`, id, args, id)
}

func (c *client) recv() (m message) {
	c.t.Helper()
	if !c.lines.Scan() {
		c.t.Fatalf("the server is gone: %v", c.lines.Err())
	}
	if err := json.Unmarshal(c.lines.Bytes(), &m); err != nil {
		c.t.Fatalf("%v: %s", err, c.lines.Bytes())
	}
	return m
}
