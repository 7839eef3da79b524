package real

import (
	"encoding/json"
	"strings"
	"testing"
)

// told is a session as a tool tells of it.
type told struct {
	SessionID, NativeSessionID, WorkingDir string
	Active                                 bool
	Turns                                  int
}

// ask calls a tool about sessions.
func (g *gateway) ask(tool string, a args) (s told) {
	g.t.Helper()
	_, response := g.request("tools/call", encode(map[string]any{"name": tool, "arguments": a}))
	raw := g.await(0, response)
	var r struct {
		IsError           bool
		StructuredContent told
	}
	if err := json.Unmarshal(raw, &r); err != nil || r.IsError {
		g.t.Fatalf("%s: %v: %s", tool, err, raw)
	}
	return r.StructuredContent
}

// TestSession is the workflow of a session: its first call begins the conversation, later
// ones go on with it, by whichever of its ids, from this gateway or another.
func TestSession(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		g := start(t, "ok", c)
		s := g.ask("session_create", args{"cli": c.name, "description": "round trip", "setAsActive": true})
		first := g.call(c, args{"prompt": marked("one")})
		answered(t, first, 1, "one")
		native := first.StructuredContent.SessionID
		answered(t, g.call(c, args{"prompt": marked("two"), "continueSession": true}), 2, "two")
		answered(t, g.call(c, args{"prompt": marked("three"), "sessionId": s.SessionID}), 3, "three")
		answered(t, g.call(c, args{"prompt": marked("four"), "sessionId": native}), 4, "four")
		// Twice the same is two turns.
		answered(t, g.call(c, args{"prompt": marked("five")}), 5, "five")
		answered(t, g.call(c, args{"prompt": marked("five")}), 6, "five")
		latest := g.call(c, args{"prompt": marked("seven"), "resumeLatest": true})
		answered(t, latest, 7, "seven")
		if len(latest.StructuredContent.Warnings) > 0 {
			t.Errorf("warnings %q", latest.StructuredContent.Warnings)
		}

		said, err := g.command("call", c.tool(), "prompt="+marked("eight"), "--format=json").Output()
		var other struct{ SessionID, Response string }
		if err != nil || json.Unmarshal(said, &other) != nil || !strings.HasPrefix(other.Response, proof(8, "eight")) || other.SessionID != native {
			t.Errorf("another gateway: %v: %s", err, said)
		}
		for _, id := range []string{s.SessionID, native} {
			if got := g.ask("session_get", args{"sessionId": id}); got.SessionID != s.SessionID || got.NativeSessionID != native || got.Turns != 8 || !got.Active || got.WorkingDir != g.work {
				t.Errorf("%s: %+v", id, got)
			}
		}

		aside := g.call(c, args{"prompt": marked("aside"), "createNewSession": true})
		answered(t, aside, 1, "aside")
		answered(t, g.call(c, args{"prompt": marked("nine")}), 9, "nine")
		g.ask("session_set_active", args{"cli": c.name, "sessionId": aside.StructuredContent.SessionID})
		answered(t, g.call(c, args{"prompt": marked("more")}), 2, "more")
		g.ask("session_set_active", args{"cli": c.name, "sessionId": nil})
		answered(t, g.call(c, args{"prompt": marked("fresh")}), 1, "fresh")
	})
}

// TestSessionThatFails goes on once the vendor answers: it begins then, or goes on, if the
// failure has not kept it from beginning.
func TestSessionThatFails(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		g := start(t, "e401once", c)
		s := g.ask("session_create", args{"cli": c.name})
		vain := g.call(c, args{"prompt": marked("in vain")})
		if !vain.IsError {
			return // it has tried again by itself
		}
		failed(t, vain, "auth")
		if got := g.ask("session_get", args{"sessionId": s.SessionID}); got.Turns != 0 {
			t.Errorf("%+v", got)
		}
		r := g.call(c, args{"prompt": marked("now")})
		if r.IsError || !strings.HasPrefix(r.StructuredContent.Response, "FAKE-REPLY ") { // what of the turn before it remembers is its own affair
			t.Fatalf("%s", r.text())
		}
		if got := g.ask("session_get", args{"sessionId": s.SessionID}); got.Turns != 1 {
			t.Errorf("%+v", got)
		}
	})
}

// TestNothingToContinue: who asks for the newest conversation where there is none begins
// one, whatever the program thinks of it.
func TestNothingToContinue(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		g := start(t, "ok", c)
		first := g.call(c, args{"prompt": marked("first"), "resumeLatest": true})
		answered(t, first, 1, "first")
		if w := first.StructuredContent.Warnings; len(w) != 1 || !strings.Contains(w[0], "new") {
			t.Errorf("warnings %q", w)
		}
		answered(t, g.call(c, args{"prompt": marked("second"), "resumeLatest": true}), 2, "second")
	})
}

// TestBothSay: what a caller may say in two ways at once is no reason not to run.
func TestBothSay(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		g, ran := start(t, "ok", c), false
		for _, pair := range []args{{"effort": "low", "reasoningEffort": "high"}, {"alwaysApprove": true, "permissionMode": "default"}, {"fullAuto": true, "dangerouslyBypassApprovalsAndSandbox": true}} {
			pair["prompt"] = marked("both")
			if g.explain(c, pair) == "" {
				answered(t, g.call(c, pair), 1, "both")
				ran = true
			}
		}
		if !ran {
			t.Skip("it has no such parameters")
		}
	})
}
