package configedit

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// testEntry is what a client wants: some fields, of which the first is the gateway's.
func testEntry(t testing.TB, key string) Entry {
	t.Helper()
	var fields lang.Map[any]
	if err := json.Unmarshal([]byte(`{"command":"{gateway}","args":["serve"],"env":{}}`), &fields); err != nil {
		t.Fatal(err)
	}
	return NewEntry(append(strings.Split(key, "."), "gateway"), fields, `/opt/my "gw" & co/gateway`)
}

// TestEdit edits each text of testdata/edit. A comment in front may name another key than
// mcpServers. GATEWAY_UPDATE=1 rewrites what is expected.
func TestEdit(t *testing.T) {
	names, err := filepath.Glob("testdata/edit/*.txtar")
	if err != nil || len(names) < 20 {
		t.Fatal(len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			key := "mcpServers"
			for line := range strings.Lines(string(a.Comment)) {
				if own, ok := strings.CutPrefix(strings.TrimSpace(line), "key: "); ok {
					key = own
				}
			}
			before := a.Files[0]
			text := before.Data
			if strings.Contains(string(a.Comment), "CRLF") {
				text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
			}
			if strings.Contains(string(a.Comment), "no line feed") {
				text = bytes.TrimSuffix(text, []byte("\n"))
			}
			got, err := Edit(before.Name, text, testEntry(t, key))
			if err != nil {
				got = []byte("error: " + err.Error() + "\n")
			} else if again, err := Edit(before.Name, got, testEntry(t, key)); err != nil || !bytes.Equal(again, got) {
				t.Errorf("edited twice: %v\n%s", err, again)
			}
			if strings.Contains(string(a.Comment), "CRLF") {
				if bytes.Count(got, []byte("\n")) != bytes.Count(got, []byte("\r\n")) {
					t.Errorf("line ends are mixed: %q", got)
				}
				got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n"))
			}
			if len(got) > 0 && got[len(got)-1] != '\n' {
				got = append(got, '\n') // as txtar has it
			}
			if os.Getenv("GATEWAY_UPDATE") != "" {
				a.Files = append(a.Files[:1], txtar.File{Name: "after", Data: got})
				if err := os.WriteFile(name, txtar.Format(a), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if string(got) != string(a.Files[1].Data) {
				t.Errorf("got:\n%s\nwant:\n%s", got, a.Files[1].Data)
			}
		})
	}
}
