//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestHangupTakesWhatWaits: an edit that widens waits where the settings say so, and a
// signal from a person ends the wait, not the gateway.
func TestHangupTakesWhatWaits(t *testing.T) {
	home := t.TempDir()
	specs := filepath.Join(home, ".llm-cli-gateway", "specs")
	if err := os.MkdirAll(specs, 0o700); err != nil {
		t.Fatal(err)
	}
	save := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(specs, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	save("a.cue", `gateway: {reload: "hold", tools: list: "all"}`)

	serve := exec.Command(os.Args[0], "serve")
	serve.Args[0] = "gateway"
	serve.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
	serve.Stderr = os.Stderr
	in, err := serve.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := serve.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = serve.Process.Kill(); _ = serve.Wait() })
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	var message struct {
		Method string
		Result struct {
			StructuredContent struct {
				Held    *struct{ Changes []string }
				Reloads int
			}
		}
	}
	next := func() {
		t.Helper()
		message.Result.StructuredContent.Held = nil
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &message) != nil {
			t.Fatalf("%v %s", lines.Err(), lines.Bytes())
		}
	}
	fmt.Fprintln(in, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`)
	next()
	fmt.Fprintln(in, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)

	save("b.cue", `cli: zeta: {bin: "zeta", argv: []}`)
	late := time.Now().Add(20 * time.Second)
	for message.Result.StructuredContent.Held == nil {
		if time.Now().After(late) {
			t.Fatal("the edit was never noticed")
		}
		fmt.Fprintln(in, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"gateway_status","arguments":{}}}`)
		if next(); message.Method != "" {
			t.Fatalf("%s: the edit did not wait", message.Method)
		}
	}
	if changes := strings.Join(message.Result.StructuredContent.Held.Changes, "\n"); !strings.Contains(changes, "cli.zeta") {
		t.Error(changes)
	}
	if err := serve.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if next(); message.Method != "notifications/tools/list_changed" {
		t.Errorf("%+v", message)
	}
	in.Close()
	if err := serve.Wait(); err != nil {
		t.Error(err)
	}
}
