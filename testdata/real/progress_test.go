package real

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestProgress asks for progress. While the model has a command run and then
// says nothing for long, that command is reported.
func TestProgress(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		g := start(t, "held:tool:"+c.shell, c)
		call := args{"prompt": marked("run it")}
		maps.Copy(call, c.allow)
		_, response := g.request("tools/call", encode(map[string]any{"name": c.tool(), "arguments": call, "_meta": args{"progressToken": "mine"}}))
		told := func() []progress {
			g.mu.Lock()
			defer g.mu.Unlock()
			return slices.Clone(g.told)
		}
		// The model server makes this command up for any tool that takes one.
		g.until("the command is told", func() bool {
			return len(response) > 0 || slices.ContainsFunc(told(), func(p progress) bool { return strings.Contains(p.Message, "echo hi-from-shell") })
		})
		if len(response) > 0 {
			t.Fatalf("it has ended, and told was %+v: %s", told(), <-response)
		}
		g.models.Release()
		var r result
		if err := json.Unmarshal(g.await(0, response), &r); err != nil {
			t.Fatal(err)
		}
		answered(t, r, 1, "run it")
		all := told()
		for i, p := range all {
			if p.Token != "mine" || p.Message == "" || utf8.RuneCountInString(p.Message) > 200 || i > 0 && p.Progress <= all[i-1].Progress {
				t.Errorf("told as number %d: %+v", i, p)
			}
		}
		t.Logf("told: %+v", all)
	})
}
