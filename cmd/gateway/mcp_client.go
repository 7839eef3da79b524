package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
)

// mcpClient is a minimal MCP client over the standard streams of a server that it
// starts. It sends one request at a time. A client library is not used for it: it would
// be initialized at every start of the gateway, for the demo alone.
type mcpClient struct {
	ctx  context.Context // ends the server
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	root string // the directory that the client works in
	last int    // id of the last request
}

// mcpTool is a tool in a listing.
type mcpTool struct {
	Name        string
	InputSchema struct{ Properties map[string]any }
}

// mcpResult is the result of a tool.
type mcpResult struct {
	Content           []struct{ Text string }
	StructuredContent json.RawMessage
	IsError           bool
}

// startMCP starts a server, which ends with ctx at the latest, and does the handshake.
func startMCP(ctx context.Context, root string, stderr io.Writer, env []string, program string, args ...string) (*mcpClient, error) {
	c := &mcpClient{ctx: ctx, root: root, cmd: exec.CommandContext(ctx, program, args...)}
	c.cmd.Env, c.cmd.Stderr = append(c.cmd.Environ(), env...), stderr
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	err = c.request("initialize", map[string]any{
		"protocolVersion": "2025-11-25",
		"capabilities":    map[string]any{"roots": map[string]any{}},
		"clientInfo":      map[string]any{"name": "gateway demo", "version": release()},
	}, nil)
	if err == nil {
		err = c.send(map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"})
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (c *mcpClient) tools() ([]mcpTool, error) {
	var list struct{ Tools []mcpTool }
	err := c.request("tools/list", nil, &list)
	return list.Tools, err
}

func (c *mcpClient) call(tool string, args map[string]any) (result mcpResult, err error) {
	err = c.request("tools/call", map[string]any{"name": tool, "arguments": args}, &result)
	return result, err
}

// close closes the server's standard input, at which it ends, and waits for that.
func (c *mcpClient) close() error {
	err := c.in.Close()
	if failed := c.cmd.Wait(); err == nil {
		err = failed
	}
	return err
}

// request sends a request and decodes the result, unless result is nil. Meanwhile it
// responds to requests of the server.
func (c *mcpClient) request(method string, params map[string]any, result any) error {
	c.last++
	if params == nil {
		params = map[string]any{}
	}
	if err := c.send(map[string]any{"jsonrpc": "2.0", "id": c.last, "method": method, "params": params}); err != nil {
		return c.cause(err)
	}
	for {
		line, err := c.out.ReadBytes('\n')
		if err != nil {
			return c.cause(fmt.Errorf("%s: the gateway ended before it responded: %w", method, err))
		}
		var m struct {
			ID     json.RawMessage
			Method string
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		if err := json.Unmarshal(line, &m); err != nil {
			return fmt.Errorf("%s: the gateway sent what is not a message: %w", method, err)
		}
		switch {
		case m.Method == "roots/list":
			err = c.send(map[string]any{"jsonrpc": "2.0", "id": m.ID, "result": map[string]any{"roots": []any{
				map[string]any{"uri": fileURI(c.root), "name": "demo"},
			}}})
		case string(m.ID) != fmt.Sprint(c.last) || m.Method != "": // a notification
		case m.Error != nil:
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		case result == nil:
			return nil
		default:
			return json.Unmarshal(m.Result, result)
		}
		if err != nil {
			return c.cause(err)
		}
	}
}

func (c *mcpClient) send(message map[string]any) error {
	line, err := json.Marshal(message)
	if err != nil {
		return err
	}
	_, err = c.in.Write(append(line, '\n'))
	return err
}

// cause is why the connection broke: the end of ctx, if that was it.
func (c *mcpClient) cause(err error) error {
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	return err
}

// fileURI is the URI of an absolute path.
func fileURI(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	u := url.URL{Scheme: "file", Path: path}
	return u.String()
}
