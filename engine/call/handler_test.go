package call

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/budget"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/catalog/modelnames"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// world is everything around a call, and notes in which order it was asked.
type world struct {
	*Service
	asked []string

	failure *lang.Failure // of Submit
	began   bool          // it has a row all the same
	ends    []Completion  // of the jobs, in their order; none: they go on
	refuse  error         // of Resolve
	stale   bool
	sent    []*Request
	answers chan Reply // that decided
	mute    bool       // nobody else can answer
	waits   []time.Duration
	counts  []store.Costs      // in the transaction of Submit
	means   map[string]float64 // of what calls have cost, by model
	broken  error              // of that record
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Chdir(t.TempDir())
	ask := 50
	params := lang.MapOf("n", lang.ParamSpec{Doc: "N", Type: "int", Flag: "-n"})
	params.Set("model", lang.ParamSpec{Doc: "Model", Flag: "--model"})
	c, problems := catalog.Compile(&lang.Spec{
		CLI: lang.MapOf("acme", lang.CLISpec{Bin: "acme", Title: "Acme", Argv: lang.ArgvSpec{New: []string{"{params}"}, Resume: []string{"{session}", "{params}"}, Latest: []string{"{session}", "{params}"}},
			Params:  params,
			Session: lang.SessionSpec{Resume: []string{"--resume={id}"}, Latest: []string{"--continue"}, Capture: lang.TakeSpec{Take: "event.id"}},
			Output:  lang.OutputSpec{Format: "jsonl", Text: lang.TakeSpec{Take: "event.text"}},
			Risk:    []lang.RiskSpec{{ID: "n", When: "n > 0", Score: 20}, {ID: "big", When: "n > 9", Score: 80}}}),
		Policy:  lang.MapOf("narrow", lang.PolicySpec{Approve: 10, Ask: &ask}),
		Gateway: lang.Settings{Approvals: lang.ApprovalsSpec{Policy: "narrow"}},
	})
	if c == nil {
		t.Fatal(problems)
	}
	w := &world{answers: make(chan Reply, 1)}
	w.Service = &Service{Catalog: func() *catalog.Catalog { return c }, Models: w, Sessions: w, Jobs: w, Versions: w,
		Decisions: func() (Decisions, error) { return w, nil }, Costs: func() (Costs, error) { return w, nil }}
	return w
}

func (w *world) note(what string) { w.asked = append(w.asked, what) }

func (w *world) Version(context.Context, *catalog.Catalog, *catalog.CLI) string {
	w.note("version")
	return ""
}
func (w *world) Current(_ *catalog.Catalog, cli *catalog.CLI) modelnames.Models {
	w.note("models")
	return cli.Declared()
}
func (w *world) Resolve(_ context.Context, _ string, bound *catalog.Call, _ string) (*catalog.Call, error) {
	w.note("session")
	return bound, w.refuse
}
func (w *world) Preview(_ context.Context, _ string, bound *catalog.Call, _ string) (*catalog.Call, error) {
	w.note("preview")
	return bound, w.refuse
}
func (w *world) Stale(context.Context, string, *catalog.Call, string) bool { return w.stale }
func (w *world) RecordApproval(context.Context, store.Approval) error      { w.note("decision"); return nil }
func (w *world) Submit(_ context.Context, req *Request) (Job, *lang.Failure) {
	w.note("submit")
	sent := *req
	w.sent = append(w.sent, &sent)
	if w.failure != nil {
		if w.began {
			return Job{Row: store.Job{ID: "id"}}, w.failure
		}
		return Job{}, w.failure
	}
	if req.Charge != nil && req.Charge.Fit != nil {
		if exceeded := (*budget.Exceeded)(nil); errors.As(req.Charge.Fit.Check(w.counts), &exceeded) {
			return Job{}, exceeded.Decision.Failure()
		}
	}
	job := Job{Row: store.Job{ID: "id", CLI: "acme", Approval: req.Approval.Record()}, State: Running}
	if req.Asked != nil {
		job.State = Waiting
	}
	return job, nil
}
func (w *world) Answerable() bool { return !w.mute }
func (w *world) Answer(_ context.Context, _, _ string, reply Reply) (Job, error) {
	w.answers <- reply
	return Job{}, nil
}

// Decided waits for the answer to the one question of a test.
func (w *world) Decided(ctx context.Context, job Job, d time.Duration) (Job, error) {
	var late <-chan time.Time
	if d > 0 {
		late = time.After(d)
	}
	select {
	case reply := <-w.answers:
		w.answers <- reply // for whoever else waits for it
		a := Answered(job.Row.Approval, reply)
		if job.Row.Approval, job.State = a.Record(), Running; a.Verdict == Denied {
			job.State, job.Row.Outcome = Failed, store.Outcome{Ending: store.EndError, ErrorClass: lang.ClassDenied, ErrorMessage: a.Denial()}
		}
	case <-ctx.Done():
	case <-late:
	}
	return job, nil
}
func (w *world) Wait(_ context.Context, job Job, d time.Duration) (Job, error) {
	w.note("wait")
	w.waits = append(w.waits, d)
	if len(w.ends) > 0 {
		job.State = Completed
	}
	return job, nil
}
func (w *world) Abandon(_ context.Context, job Job) (Job, error) {
	w.note("abandon")
	job.Canceling = true
	return job, nil
}
func (w *world) Completion(Job) Completion {
	end := w.ends[0]
	w.ends = w.ends[1:]
	return end
}
func (w *world) Tail(Job) Tail { return w }
func (w *world) Look() string  { return "" }
func (w *world) Close()        {}

func request(args string) *Request {
	return &Request{Tool: "acme_request", Args: json.RawMessage(args)}
}

// TestOrder holds in which order a call meets its concerns, and where it ends if one of
// them refuses it.
func TestOrder(t *testing.T) {
	for name, c := range map[string]struct {
		args   string
		change func(w *world, req *Request)
		asked  string // by whom, in order
		class  string // of the failure
		state  State  // of the job; "": it runs
	}{
		"accepted":           {args: `{"prompt":"x"}`, asked: "models session submit"},
		"approved":           {args: `{"prompt":"x","approvalPolicy":"narrow"}`, asked: "models session decision submit"},
		"wrong argument":     {args: `{"prompt":"x","m":1}`, asked: "models", class: lang.ClassUsage},
		"no such tool":       {args: `{}`, change: func(_ *world, req *Request) { req.Tool = "nobody_request" }, class: lang.ClassUsage},
		"no such directory":  {args: `{"prompt":"x","workingDir":"/no/such"}`, asked: "models", class: lang.ClassUsage},
		"no such session":    {args: `{"prompt":"x"}`, change: func(w *world, _ *Request) { w.refuse = &session.Refusal{Text: "none"} }, asked: "models session", class: lang.ClassUsage},
		"record is away":     {args: `{"prompt":"x"}`, change: func(w *world, _ *Request) { w.refuse = errors.New("away") }, asked: "models session", class: lang.ClassRecord},
		"waits for a person": {args: `{"prompt":"x","n":5,"approvalPolicy":"narrow"}`, asked: "models session submit", state: Waiting},
		"nobody to ask":      {args: `{"prompt":"x","n":5,"approvalPolicy":"narrow"}`, change: func(w *world, _ *Request) { w.mute = true }, asked: "models session decision", class: lang.ClassDenied},
		"denied":             {args: `{"prompt":"x","n":50,"approvalPolicy":"narrow"}`, asked: "models session decision", class: lang.ClassDenied},
		"bound before":       {change: bound, asked: "session submit"},
	} {
		t.Run(name, func(t *testing.T) {
			w, req := newWorld(t), request(c.args)
			if c.change != nil {
				c.change(w, req)
			}
			out, err := New(w.Service).Call(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(w.asked, " "); got != c.asked {
				t.Errorf("asked: %s, want %s", got, c.asked)
			}
			switch {
			case c.class == "" && (out.Failure != nil || out.Job.State != cmp.Or(c.state, Running)):
				t.Errorf("%+v", out)
			case c.class != "" && (out.Failure == nil || out.Failure.Class != c.class || !out.Refused):
				t.Errorf("want a failure of class %s: %+v", c.class, out)
			}
		})
	}
}

// refusals are calls that no job was accepted for, as they are recorded.
type refusals []string

func (r *refusals) Refused(_ context.Context, out *Outcome, began time.Time) {
	if began.IsZero() {
		panic("it has no beginning")
	}
	*r = append(*r, out.Rule+"/"+out.Failure.Class)
}

// TestRefusalsAreRecorded: each call that no job was accepted for is, once, with what refused it.
func TestRefusalsAreRecorded(t *testing.T) {
	for name, c := range map[string]struct {
		args   string
		change func(w *world, req *Request)
		want   string
	}{
		"accepted":           {args: `{"prompt":"x"}`},
		"wrong argument":     {args: `{"prompt":"x","m":1}`, want: "arguments/invalid_call"},
		"no such directory":  {args: `{"prompt":"x","workingDir":"/no/such"}`, want: "working directory/invalid_call"},
		"no such session":    {args: `{"prompt":"x"}`, change: func(w *world, _ *Request) { w.refuse = &session.Refusal{Text: "none"} }, want: "session/invalid_call"},
		"above the ceiling":  {args: `{"prompt":"x","n":1}`, change: func(w *world, _ *Request) { w.Ceilings = ceiling(access.Read) }, want: "access: the ceiling of a test/nested"},
		"waits for a person": {args: `{"prompt":"x","n":5,"approvalPolicy":"narrow"}`},
		"denied":             {args: `{"prompt":"x","n":50,"approvalPolicy":"narrow"}`, want: "approval: policy narrow, n, big/denied"},
		"not begun":          {args: `{"prompt":"x"}`, change: func(w *world, _ *Request) { w.failure = &lang.Failure{Class: lang.ClassRecord} }, want: "start/record"},
		"busy twice":         {args: `{"prompt":"x"}`, change: func(w *world, _ *Request) { w.failure = &lang.Failure{Class: lang.ClassBusy} }, want: "start/session_busy"},
		"failed with a row":  {args: `{"prompt":"x"}`, change: func(w *world, _ *Request) { w.failure, w.began = &lang.Failure{Class: lang.ClassMissing}, true }},
	} {
		t.Run(name, func(t *testing.T) {
			w, req, seen := newWorld(t), request(c.args), refusals{}
			if w.Refusals = &seen; c.change != nil {
				c.change(w, req)
			}
			req.Async = true
			if _, err := w.Complete(t.Context(), New(w.Service), req, time.Minute); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(seen, " "); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	w, seen := newWorld(t), refusals{}
	w.Refusals = &seen
	if out := w.Unknown(t.Context(), request(`{}`), &lang.Failure{Class: lang.ClassUsage}); !out.Refused || len(seen) != 1 {
		t.Errorf("%+v, %q", out, seen)
	}
	seen = nil // a call that needs more of its client is not over
	req := request(`{"prompt":"x"}`)
	req.RootsNextRound, req.ListRoots = true, func(context.Context) (Roots, error) { return Roots{}, nil }
	if out, err := w.Complete(t.Context(), New(w.Service), req, 0); err == nil || len(seen) != 0 {
		t.Errorf("%+v %v, %q", out, err, seen)
	}
}

// ceiling is what all calls may have at most.
type ceiling access.Level

func (c ceiling) Ceiling(context.Context) (access.Ceiling, error) {
	return access.Ceiling{Level: access.Level(c), From: "the ceiling of a test"}, nil
}

// bound makes a request that somebody has bound and placed already, as a workflow does.
func bound(w *world, req *Request) {
	cli, _ := Find(w.Service.Catalog(), req.Tool)
	call, wrong := cli.Bind(json.RawMessage(`{"prompt":"x"}`), nil, session.NewID)
	if wrong != nil {
		panic(wrong)
	}
	req.Bound, req.Dir = call, "/"
}

// TestRenew holds when a call is made once more: only where nothing was done, and only
// once.
func TestRenew(t *testing.T) {
	answered := Completion{Answer: extract.Answer{Text: "yes", SessionID: "1"}}
	failed := func(class string) Completion {
		return Completion{Answer: extract.Answer{Failure: &lang.Failure{Class: class}}}
	}
	for name, c := range map[string]struct {
		args    string
		stale   bool
		failure *lang.Failure
		ends    []Completion
		calls   int
		modes   []lang.Mode
	}{
		"answered":                      {args: `{"prompt":"x"}`, stale: true, ends: []Completion{answered}, calls: 1},
		"failed":                        {args: `{"prompt":"x"}`, ends: []Completion{failed("quota")}, calls: 1},
		"stale":                         {args: `{"prompt":"x"}`, stale: true, ends: []Completion{failed("session"), answered}, calls: 2},
		"stale for good":                {args: `{"prompt":"x"}`, stale: true, ends: []Completion{failed("session"), failed("session")}, calls: 2},
		"busy":                          {args: `{"prompt":"x"}`, failure: &lang.Failure{Class: lang.ClassBusy}, calls: 2},
		"not to be had":                 {args: `{"prompt":"x"}`, failure: &lang.Failure{Class: lang.ClassRecord}, calls: 1},
		"nothing to continue":           {args: `{"prompt":"x","resumeLatest":true}`, ends: []Completion{failed("session"), answered}, calls: 2, modes: []lang.Mode{lang.Latest, lang.New}},
		"not waited for":                {args: `{"prompt":"x","async":true}`, stale: true, calls: 1},
		"not waited for, but busy once": {args: `{"prompt":"x","async":true}`, failure: &lang.Failure{Class: lang.ClassBusy}, calls: 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.stale, w.failure, w.ends = c.stale, c.failure, c.ends
			out, err := w.Complete(t.Context(), New(w.Service), request(c.args), time.Minute)
			if err != nil || out == nil {
				t.Fatal(err)
			}
			if len(w.sent) != c.calls {
				t.Errorf("%d calls, want %d", len(w.sent), c.calls)
			}
			for i, mode := range c.modes {
				if got := w.sent[i].Bound.Mode; got != mode {
					t.Errorf("call %d: mode %s, want %s", i, got, mode)
				}
			}
		})
	}
}

// TestOneDeadline: the wait for a person and the wait for the answer together take no longer
// than a client gives a request.
func TestOneDeadline(t *testing.T) {
	for _, c := range []struct {
		sync, thinks, shown, took time.Duration
		waits                     []time.Duration
	}{
		{45 * time.Second, time.Second, defaultAsk, time.Second, []time.Duration{45 * time.Second}},
		{45 * time.Second, 30 * time.Second, defaultAsk, 30 * time.Second, []time.Duration{20 * time.Second}},
		{45 * time.Second, 100 * time.Second, defaultAsk, 50 * time.Second, nil}, // the client goes on showing the question
		{0, 100 * time.Second, defaultAsk, 100 * time.Second, []time.Duration{0}},
		{0, 200 * time.Second, defaultAsk, defaultAsk, nil}, // nor is it shown for ever
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			req := request(`{"prompt":"x","n":5,"approvalPolicy":"narrow"}`)
			asked := make(chan time.Duration, 1)
			req.Ask = func(ctx context.Context, _ string) (Reply, error) {
				until, _ := ctx.Deadline()
				asked <- time.Until(until)
				select {
				case <-time.After(c.thinks):
					return ChoseApprove, nil
				case <-ctx.Done():
					return "", ctx.Err()
				}
			}
			began := time.Now()
			out, err := w.Complete(t.Context(), New(w.Service), req, c.sync)
			shown := <-asked
			if took := time.Since(began).Truncate(time.Second); err != nil || out.Failure != nil || shown != c.shown || took != c.took || !slices.Equal(w.waits, c.waits) || (out.Job.State == Waiting) != (c.waits == nil) {
				t.Errorf("%v: %+v %v, shown for %v, took %v, waited %v", c, out, err, shown, took, w.waits)
			}
			time.Sleep(c.thinks)
			if answered := len(w.answers) == 1; answered != (c.thinks < c.shown) {
				t.Errorf("%v: answered: %v", c, answered)
			}
		})
	}
}

// TestACallerThatLeaves: its job is not waited for any more, and the job hears of it.
func TestACallerThatLeaves(t *testing.T) {
	w := newWorld(t)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	out, err := w.Complete(ctx, New(w.Service), request(`{"prompt":"x"}`), 0)
	if err != nil || !out.Job.Canceling || out.Completion != nil || !slices.Contains(w.asked, "abandon") {
		t.Errorf("%+v %v %v", out, err, w.asked)
	}
}

// TestCanceledBeforeTheIDOfItsJobIsTold: nobody could ever ask for such a job.
func TestCanceledBeforeTheIDOfItsJobIsTold(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out, err := w.Complete(ctx, New(w.Service), &Request{Principal: store.Local, Tool: "acme_request_async", Async: true, Args: json.RawMessage(`{"prompt":"hi"}`)}, 0)
	if err != nil || !out.Job.Canceling || slices.Contains(w.asked, "wait") {
		t.Errorf("%+v %v %v", out, err, w.asked)
	}
}
