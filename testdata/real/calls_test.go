package real

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// proof is how an answer begins that is made from this very prompt as turn number
// turns of its conversation.
func proof(turns int, prompt string) string {
	sum := sha256.Sum256([]byte(prompt))
	return fmt.Sprintf("FAKE-REPLY turns=%d bytes=%d sha=%x ", turns, len(prompt), sum[:6])
}

// answered checks that a call has the answer that proof describes.
func answered(t *testing.T, r result, turns int, prompt string) {
	t.Helper()
	if r.IsError || r.StructuredContent.Status != "completed" || !strings.HasPrefix(r.StructuredContent.Response, proof(turns, prompt)) {
		t.Fatalf("want an answer that begins with\n%s\nit is\n%s", proof(turns, prompt), r.text())
	}
}

// marked makes the fake model server hash this text and nothing around it.
func marked(prompt string) string { return "<<<" + prompt + ">>>" }

func TestAnswer(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		g := start(t, "ok", c)
		const prompt = "What is 'it', \"really\"?\n\tÄ — 😀 $HOME `id` %s \\n"
		r := g.call(c, args{"prompt": marked(prompt), "correlationId": "real/1"})
		answered(t, r, 1, prompt)
		s := r.StructuredContent
		if s.CLI != c.name || s.CorrelationID != "real/1" || s.SessionID == "" || s.ExitCode == nil || *s.ExitCode != 0 || s.DurationMs == nil {
			t.Errorf("incomplete: %+v", s)
		}
		if (s.Model != "") != c.tells.model {
			t.Errorf("model %q", s.Model)
		}
		if c.tells.usage != (s.Usage["inputTokens"] > 0 && s.Usage["outputTokens"] == 23) {
			t.Errorf("usage %v", s.Usage)
		}
		if c.tells.cost != (s.CostUSD != nil) {
			t.Errorf("cost %v", s.CostUSD)
		}
		if len(s.Warnings) > 0 {
			t.Errorf("warnings %q", s.Warnings)
		}
		for _, part := range []string{s.Response, "status=completed", "sessionId=" + s.SessionID, "correlationId=real/1"} {
			if !strings.Contains(r.text(), part) {
				t.Errorf("the text does not say %q:\n%s", part, r.text())
			}
		}

		jobs := g.jobs()
		if len(jobs) != 1 {
			t.Fatalf("%d rows", len(jobs))
		}
		job := jobs[0]
		if job.State != store.Done || job.Outcome.Ending != store.EndOK || job.Outcome.NativeSessionID != s.SessionID ||
			job.Outcome.Response != s.Response || job.Prompt != marked(prompt) || job.CorrelationID != "real/1" || job.Model != s.Model {
			t.Errorf("the row says %+v", job)
		}
		if text := encode(job); strings.Contains(text, key) {
			t.Errorf("a key is in the record: %s", text)
		}
	})
}

func TestConversation(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		g := start(t, "ok", c)
		first := g.call(c, args{"prompt": marked("one"), "createNewSession": true})
		answered(t, first, 1, "one")
		id := first.StructuredContent.SessionID
		second := g.call(c, args{"prompt": marked("two"), "sessionId": id})
		answered(t, second, 2, "two")
		third := g.call(c, args{"prompt": marked("three"), "resumeLatest": true})
		answered(t, third, 3, "three")
		fourth := g.call(c, args{"prompt": marked("four"), "continueSession": true})
		answered(t, fourth, 4, "four")
		for _, r := range []result{second, third, fourth} {
			if r.StructuredContent.SessionID != id {
				t.Errorf("the conversation %s goes on as %s", id, r.StructuredContent.SessionID)
			}
			// Every turn has the same tokens; what is cumulative must say so.
			if now, then := r.StructuredContent, first.StructuredContent; c.tells.cost && *now.CostUSD != *then.CostUSD && now.CostScope != "session" {
				t.Errorf("a later turn costs %v, the first one %v", *now.CostUSD, *then.CostUSD)
			} else if now.Usage["outputTokens"] != then.Usage["outputTokens"] && now.UsageScope != "session" {
				t.Errorf("a later turn uses %v, the first one %v", now.Usage, then.Usage)
			}
		}
		other := g.call(c, args{"prompt": marked("else")})
		answered(t, other, 1, "else")
		if other.StructuredContent.SessionID == id {
			t.Error("a new conversation has the id of an old one")
		}
		chosen := "5f1fd550-91f0-478b-bd59-04813a33556e"
		call := args{"prompt": marked("chosen"), "sessionId": chosen, "createNewSession": true}
		named := g.call(c, call)
		answered(t, named, 1, "chosen")
		if w := named.StructuredContent.Warnings; len(w) == 1 && strings.Contains(w[0], "chooses the ids of new ones itself") {
			return // and the gateway says so
		}
		if got := named.StructuredContent.SessionID; got != chosen {
			t.Errorf("a conversation that was to be %s is %s", chosen, got)
		}
	})
}

func TestHostilePrompts(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		g := start(t, "ok", c)
		for _, prompt := range []string{"--help", "-x", "😀\n\n--\n--yolo\r\n\"'$(id)"} {
			before := len(g.models.Requests())
			r := g.call(c, args{"prompt": prompt})
			if r.IsError || !strings.HasPrefix(r.StructuredContent.Response, "FAKE-REPLY ") {
				t.Errorf("%q: %s", prompt, r.text())
			}
			arrived := false
			for _, seen := range g.models.Requests()[before:] {
				// Some end a prompt with empty lines.
				arrived = arrived || strings.HasSuffix(strings.TrimRight(seen.Prompt, "\n"), prompt)
			}
			if !arrived {
				t.Errorf("%q did not arrive: %s", prompt, r.text())
			}
		}

		long := strings.Repeat("漢字かな", 25_000-2) + "終"
		r := g.call(c, args{"prompt": marked(long)})
		if c.limit == 0 {
			answered(t, r, 1, long)
		} else if r.IsError || !slices.ContainsFunc(r.StructuredContent.Warnings, func(w string) bool { return strings.Contains(w, "only an excerpt") }) {
			t.Errorf("no warning of an excerpt: %s", r.text())
		}

		before := len(g.models.Requests())
		r = g.call(c, args{"prompt": "a\x00b"})
		if !r.IsError || r.StructuredContent.Error.Class != "invalid_call" || len(g.models.Requests()) != before {
			t.Errorf("NUL: %s", r.text())
		}
		if n := len(g.jobs()); n != 4 {
			t.Errorf("%d rows, want 4: what is refused is not run", n)
		}
	})
}

// TestFourCallsAtOnce makes concurrent calls of one CLI, which share its home.
func TestFourCallsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		together(t, start(t, "slow1", c), []cli{c, c, c, c})
	})
}

// TestAllAtOnce calls every CLI through one gateway at the same time.
func TestAllAtOnce(t *testing.T) {
	t.Parallel()
	together(t, start(t, "slow1", clis...), clis)
}

func together(t *testing.T, g *gateway, callees []cli) {
	t.Helper()
	calls := make([]args, len(callees))
	for i := range callees {
		calls[i] = args{"prompt": marked(fmt.Sprint("number ", i))}
	}
	sessions := map[string]bool{}
	for i, r := range g.callAll(callees, calls) {
		answered(t, r, 1, fmt.Sprint("number ", i))
		if r.StructuredContent.CLI != callees[i].name || sessions[r.StructuredContent.SessionID] {
			t.Errorf("call %d: %s", i, r.text())
		}
		sessions[r.StructuredContent.SessionID] = true
	}
}
