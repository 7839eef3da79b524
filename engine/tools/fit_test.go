//go:build unix

package tools

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// TestResultsFitTheirClient: a result is not longer than its client takes, whatever the call
// asks for and whatever its answer consists of, and page by page the whole comes together.
func TestResultsFitTheirClient(t *testing.T) {
	tools := newTools(t)
	for name, answer := range map[string]string{
		"plain": strings.Repeat("abcdefghij", 900), "quotes and lines": strings.Repeat("\"\\\n\t.", 2000), "wide": strings.Repeat("ä€😀", 3000),
	} {
		for client, parts := range map[string][2]bool{"both-1": {true, true}, "text-1": {true, false}, "structure-1": {false, true}} {
			t.Run(name+" "+client, func(t *testing.T) {
				from := call.Client{Name: client}
				page := func(tool string, args map[string]any) (Result, map[string]any) {
					r := tools.Call(t.Context(), call.Request{Tool: tool, Args: text.MustJSON(args), Client: from})
					n := 0
					if parts[0] {
						for _, block := range r.Text {
							n += len([]rune(string(encode(block))))
						}
					}
					if parts[1] {
						n += len([]rune(string(r.Object())))
					}
					if r.IsError || n > 4000 || n < 3600 && r.Response != "" && !strings.HasSuffix(answer, r.Response) {
						t.Errorf("%s: %d characters: %.200s", tool, n, r.Text)
					}
					var got map[string]any
					if err := json.Unmarshal(r.Object(), &got); err != nil {
						t.Fatal(err)
					}
					return r, got
				}
				r, got := page("acme_request", map[string]any{"prompt": answer, "maxChars": 1_000_000})
				all, job := r.Response, got["jobId"]
				for next := got["nextOffset"]; next != nil && r.Response != ""; next = got["nextOffset"] {
					r, got = page(JobResult, map[string]any{"jobId": job, "offset": next, "maxChars": 1_000_000})
					all += r.Response
				}
				if all != answer {
					t.Errorf("%d bytes of %d came together", len(all), len(answer))
				}
				_, got = page(JobResult, map[string]any{"jobId": job, "include": []string{"stdout", "stderr"}, "maxChars": 1_000_000})
				if got["stdout"] == "" || got["nextOffset"] == nil {
					t.Errorf("%.300s", fmt.Sprint(got))
				}
			})
		}
	}
	r := tools.Call(t.Context(), call.Request{Tool: "acme_request", Args: text.MustJSON(map[string]any{"prompt": strings.Repeat("x", 9000)}), Client: call.Client{Name: "another"}})
	if len(r.Response) != 9000 {
		t.Errorf("a client of which nothing is known gets %d characters", len(r.Response))
	}
}

// TestPagesGoOn: also where the client takes less than what surrounds an answer.
func TestPagesGoOn(t *testing.T) {
	cat := newTools(t).Catalog()
	r := fit(cat, call.Client{Name: "both-1"}, 100_000, func(most int) Result {
		return Result{Text: []string{strings.Repeat("w", 5000)}, Response: strings.Repeat("x", most), Structured: json.RawMessage(`{}`)}
	})
	if len(r.Response) != leastChars {
		t.Errorf("%d characters", len(r.Response))
	}
}
