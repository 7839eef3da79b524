package real

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// TestFailingVendor lets the vendor fail. A CLI that tries again for minutes is
// ended by the time limit.
func TestFailingVendor(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		for _, scenario := range []string{"e401", "e404", "e429", "e500", "cut", "empty"} {
			t.Run(scenario, func(t *testing.T) {
				t.Parallel()
				g := start(t, scenario, c)
				class, ending, limit := c.gives[scenario], store.EndError, patience.Milliseconds()
				if class == "" {
					class, ending, limit = "timeout", store.EndTimeout, 12_000
				}
				r := g.call(c, args{"prompt": "hi", "timeoutMs": limit})
				for len(g.models.Requests()) == 0 && limit < patience.Milliseconds() { // a busy machine: it had hardly begun
					limit *= 2
					r = g.call(c, args{"prompt": "hi", "timeoutMs": limit})
				}
				failed(t, r, class)
				if (class == "auth" || class == "model") && r.StructuredContent.Error.Hint == "" {
					t.Error("no hint")
				}
				job := g.jobs()[0]
				if job.Outcome.Ending != ending || job.Outcome.ErrorClass != class {
					t.Errorf("the row says %+v", job.Outcome)
				}
				g.attempted(job, max(1, c.again[class]))
				if len(g.models.Requests()) == 0 {
					t.Error("the vendor was not asked at all")
				}
			})
		}
	})
}

// attempted holds that a call had so many attempts, each on record with its class and a wait, and
// that they count for the breaker of its CLI if they could have passed.
func (g *gateway) attempted(job store.Job, want int) {
	g.t.Helper()
	if job.N() != want {
		g.t.Errorf("%d attempts, want %d: %s", job.N(), want, job.Outcome.ErrorMessage)
	}
	db, err := sqlite.Open(filepath.Join(g.home, ".llm-cli-gateway", "logs.db"))
	if err != nil {
		g.t.Fatal(err)
	}
	defer db.Close()
	made, err := db.Attempts(g.t.Context(), job.ID)
	if err != nil {
		g.t.Fatal(err)
	}
	for i, a := range made {
		if last := i == len(made)-1; a.N != i+1 || a.Outcome.ErrorClass != job.Outcome.ErrorClass || (a.Next == store.NextRetry) == last || a.Effects {
			g.t.Errorf("attempt %+v", a)
		}
	}
	breakers, err := db.Breakers(g.t.Context(), job.CLI)
	if counts := len(breakers) == 1 && breakers[0].Failures == want; err != nil || counts != (want > 1) {
		g.t.Errorf("after %d attempts the breaker is %+v, %v", want, breakers, err)
	}
}

func TestUnknownSession(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		g := start(t, "ok", c)
		r := g.call(c, args{"prompt": "hi", "sessionId": "8a6e0804-2bd0-4672-b79d-d97027f9071a"})
		failed(t, r, "session")
		if r.StructuredContent.Error.Hint == "" {
			t.Error("no hint")
		}
		if n := len(g.models.Requests()); n > 0 {
			t.Errorf("%d requests in a conversation that there is not", n)
		}
	})
}

// failed checks that a call failed for a reason that it gives both ways.
func failed(t *testing.T, r result, class string) {
	t.Helper()
	e := r.StructuredContent.Error
	if !r.IsError || r.StructuredContent.Status != "failed" || e.Class != class || e.Message == "" {
		t.Fatalf("want class %s, it is %s", class, r.text())
	}
	for _, part := range []string{"(" + e.Class + ")", e.Message, e.Hint, "status=failed"} {
		if !strings.Contains(r.text(), part) {
			t.Errorf("the text does not say %q:\n%s", part, r.text())
		}
	}
}

// TestCancel takes a call back while the model thinks: nothing of it goes on.
func TestCancel(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		g := start(t, "hang", c)
		id, response := g.begin(c, args{"prompt": "hi"})
		g.until("a request to the model", func() bool { return len(g.models.Requests()) > 0 })
		job := g.jobs()[0]
		if job.State != store.Live {
			t.Fatalf("the row says %+v", job)
		}
		tree := descendants(with(process.CookieName, job.ID))
		if runtime.GOOS == "linux" && len(tree) == 0 {
			t.Fatalf("nothing runs: %v", tree)
		}

		g.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`, id))
		g.until("the end of the row", func() bool { job = g.jobs()[0]; return job.State == store.Done })
		if job.Outcome.Ending != store.EndCanceled || job.Outcome.ErrorClass != "canceled" {
			t.Errorf("the row says %+v", job.Outcome)
		}
		if left := with(process.CookieName, job.ID); len(left) > 0 {
			t.Errorf("processes of the call are left: %v", left)
		}
		// Nor one that threw its mark away.
		for _, p := range processes() {
			if slices.ContainsFunc(tree, func(q osProcess) bool { return p.pid == q.pid && p.start == q.start }) {
				t.Errorf("%v outlived the call", p)
			}
		}
		// The gateway goes on, and has nothing more to say to the cancelled request.
		g.await(g.request("ping", "{}"))
		select {
		case r := <-response:
			t.Errorf("the cancelled call is answered: %s", r)
		default:
		}
	})
}
