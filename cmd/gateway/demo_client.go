package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/lang/load"
)

// demoClient is an MCP client and the gateway that it started, all of whose files
// lie below dir.
type demoClient struct {
	*mcpClient // nil until it is started
	dir        string
	log        tail
}

func (c *demoClient) specs() string  { return filepath.Join(c.dir, "specs") }
func (c *demoClient) bin() string    { return filepath.Join(c.dir, "bin") }
func (c *demoClient) home() string   { return filepath.Join(c.dir, "home") }
func (c *demoClient) record() string { return filepath.Join(c.dir, "home", "logs.db") }

// start writes the spec and the stand-in to files, starts `gateway serve` on them and
// connects.
func (c *demoClient) start(ctx context.Context) error {
	for _, folder := range []string{c.specs(), c.bin(), c.home()} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(c.specs(), "parrot.cue"), []byte(demoSpec), 0o600); err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find the path of this program: %w", err)
	}
	if err := alias(exe, filepath.Join(c.bin(), standInName)); err != nil {
		return fmt.Errorf("cannot install the fake agent: %w", err)
	}
	c.mcpClient, err = startMCP(ctx, c.dir, &c.log, c.environ(), exe, "serve", "--specs", c.specs())
	return err
}

// environ lies over our own environment: a home and a record of its own, and no
// settings of the user's.
func (c *demoClient) environ() []string {
	env := []string{
		"HOME=" + c.home(), "USERPROFILE=" + c.home(),
		"PATH=" + c.bin() + string(filepath.ListSeparator) + os.Getenv("PATH"),
	}
	for _, v := range load.Variables {
		if v.Key == "gateway.logsDb" {
			env = append(env, v.Name+"="+c.record())
		} else {
			env = append(env, v.Name+"=")
		}
	}
	return env
}

// close ends the gateway by closing its standard input.
func (c *demoClient) close() error {
	if c.mcpClient == nil {
		return nil
	}
	return c.mcpClient.close()
}

// said is what the gateway logged, for the message of a failure.
func (c *demoClient) said() string {
	if text := c.log.String(); text != "" {
		return "\nThe log of the gateway:\n" + text
	}
	return ""
}

// alias makes the program known under another name.
func alias(exe, name string) error {
	if runtime.GOOS != "windows" {
		return os.Symlink(exe, name)
	}
	// Symbolic links need a privilege there; a second name does not, on one volume.
	if os.Link(exe, name+".exe") == nil {
		return nil
	}
	data, err := os.ReadFile(exe)
	if err != nil {
		return err
	}
	return os.WriteFile(name+".exe", data, 0o700)
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailBytes = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	t.buf = t.buf[max(0, len(t.buf)-tailBytes):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}
