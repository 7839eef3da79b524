package real

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// serverSwitch as its first argument makes the test binary an MCP server with one tool.
// The second says what the server is called, the third is a file that it leaves behind.
const serverSwitch = "be-an-mcp-server"

// echoKey is a variable that the server needs, and what it is to find there.
const echoKey, echoValue = "ECHO_API_KEY", "value-of-a-variable-4711"

// said is what the tool returns.
func said(name, text string) string { return "ECHOED " + name + " " + text }

// beServer answers a client until that closes its end. It says nothing of what the tool
// may do, so that no client runs it unasked.
func beServer(name, trace string) {
	if err := os.WriteFile(trace, []byte(os.Getenv(echoKey)), 0o600); err != nil {
		panic(err)
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var m struct {
			ID     json.RawMessage
			Method string
			Params struct {
				ProtocolVersion string
				Arguments       struct{ Text string }
			}
		}
		if json.Unmarshal(in.Bytes(), &m) != nil || m.ID == nil || m.Method == "" {
			continue
		}
		var result any
		switch m.Method {
		case "initialize":
			result = map[string]any{"protocolVersion": m.Params.ProtocolVersion, "capabilities": map[string]any{"tools": map[string]any{}},
				"serverInfo": map[string]any{"name": name, "version": "1"}}
		case "tools/list":
			result = map[string]any{"tools": []any{map[string]any{"name": "echo", "description": "Echo a text.",
				"inputSchema": json.RawMessage(`{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}`)}}}
		case "tools/call":
			if err := os.WriteFile(filepath.Join(filepath.Dir(trace), "called "+name), nil, 0o600); err != nil {
				panic(err)
			}
			text := said(name, strings.ToUpper(m.Params.Arguments.Text))
			result = map[string]any{"content": []any{map[string]any{"type": "text", "text": text}}}
		case "ping":
			result = map[string]any{}
		default:
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no such method"}}`+"\n", m.ID)
			continue
		}
		fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", m.ID, encode(result))
	}
}
