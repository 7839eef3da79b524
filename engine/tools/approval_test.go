//go:build unix

package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// gated has one CLI that prints its arguments, with calls of every degree of risk.
const gated = `
cli: acme: {bin: "echo", title: "Acme", argv: ["ran", "{params}"]
	params: {n: {doc: "Risk", type: "int", flag: "-n"}, yolo: {doc: "Y", type: "bool", flag: "--yolo", danger: true}}
	risk: [{id: "n", when: "n > 0", score: 20, reason: "n is given"}, {id: "big", when: "n > 9", score: 80}]}
policy: {narrow: {approve: 10, ask: 50}, wide: {approve: 100, includes: "narrow"}}
risk: danger: {when: "len(danger) > 0", score: 5, reason: "acts unasked"}
gateway: {env: pass: ["PATH"], timeouts: graceMs: 10, approvals: {policy: "narrow", askMs: 60000}}
`

// approvalFixture is a set of tools with a record and a journal.
type approvalFixture struct {
	*Tools
	records *sqlite.Store
}

func newApprovalFixture(t *testing.T, more string) approvalFixture {
	t.Helper()
	res := load.Load([]load.Layer{{Name: "test", Files: []specfiles.File{{Name: "a.cue", Data: []byte(gated)}}}, {Name: "more", Files: []specfiles.File{{Name: "b.cue", Data: []byte(more)}}}}, load.Options{})
	if res.Catalog == nil {
		t.Fatal(res.Diagnostics)
	}
	home := t.TempDir()
	records, err := sqlite.Open(filepath.Join(home, "calls.db"))
	if err != nil {
		t.Fatal(err)
	}
	runner := &job.Runner{
		Host:   host.New([]string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}, nil, ""),
		Record: func() (job.Store, error) { return records, nil }, Spool: filepath.Join(home, "run"), Jobs: filepath.Join(home, "jobs"), Pools: filepath.Join(home, "pools"),
		Current: func() *catalog.Catalog { return res.Catalog },
	}
	t.Cleanup(func() { runner.Close(); records.Close() })
	return approvalFixture{wire(&Tools{Catalog: runner.Current, Runner: runner, Decisions: func() (ApprovalStore, error) { return records, nil }, Journal: store.Journal{Path: filepath.Join(home, "approvals.jsonl")}}), records}
}

// decisions are the rows and the lines of the journal, which must tell the same.
func (d approvalFixture) decisions(t *testing.T) []store.Approval {
	t.Helper()
	rows, err := d.records.Approvals(t.Context(), store.Local, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(d.Journal.Path)
	if err != nil && len(rows) > 0 {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i, row := range rows {
		want, _ := json.Marshal(row)
		var a store.Approval
		if err := json.Unmarshal([]byte(lines[len(lines)-1-i]), &a); err != nil {
			t.Fatal(err)
		}
		if got, _ := json.Marshal(a); string(got) != string(want) {
			t.Errorf("journal %s\nrow     %s", got, want)
		}
	}
	return rows
}

// jobs are the calls on record, newest first.
func (d approvalFixture) jobs(t *testing.T) []store.Job {
	t.Helper()
	rows, err := d.records.Jobs(t.Context(), store.Filter{Principal: store.Local})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// ran are those of them that were run.
func (d approvalFixture) ran(t *testing.T) (rows []store.Job) {
	t.Helper()
	for _, row := range d.jobs(t) {
		if row.Folder != "" {
			rows = append(rows, row)
		}
	}
	return rows
}

// answer decides about a job as the command does.
func (d approvalFixture) answer(t *testing.T, job, decision string) Result {
	t.Helper()
	return ApprovalAnswerTool.call(t.Context(), d.Tools, Caller{}, json.RawMessage(`{"jobId":"`+job+`","decision":"`+decision+`"}`))
}

func TestPolicyDecides(t *testing.T) {
	d := newApprovalFixture(t, "")
	catalog := d.Catalog().Digest()
	for _, c := range []struct{ args, response, approval, row string }{
		{`{"prompt":"x","n":5}`, "ran -n 5", "", `{"strategy":"legacy","verdict":"approved","by":"setting","score":20,"reasons":[{"id":"n","score":20,"reason":"n is given"}],"catalog":"C"}`},
		{`{"prompt":"x","yolo":true}`, "ran --yolo", "", `{"strategy":"legacy","verdict":"approved","by":"setting","score":5,"reasons":[{"id":"danger","score":5,"reason":"acts unasked"}],"catalog":"C"}`},
		{`{"prompt":"x","yolo":true,"approvalPolicy":"narrow"}`, "ran --yolo", "approved by narrow, score 5",
			`{"id":"ID","strategy":"mcp_managed","policy":"narrow","verdict":"approved","by":"policy","score":5,"reasons":[{"id":"danger","score":5,"reason":"acts unasked"}],"catalog":"C"}`},
		{`{"prompt":"x","n":50,"approvalStrategy":"mcp_managed","approvalPolicy":"wide"}`, "ran -n 50", "approved by wide, score 100",
			`{"id":"ID","strategy":"mcp_managed","policy":"wide","verdict":"approved","by":"policy","score":100,"reasons":[{"id":"n","score":20,"reason":"n is given"},{"id":"big","score":80}],"catalog":"C"}`},
	} {
		before := len(d.decisions(t))
		r := d.call(t, "acme_request", c.args)
		if r.IsError || strings.TrimSpace(r.Response) != c.response {
			t.Fatalf("%s: %q", c.args, r.Text)
		}
		row := strings.NewReplacer(catalog, "C").Replace(string(d.ran(t)[0].Approval))
		got := whole(t, r)["approval"]
		rows := d.decisions(t)
		if c.approval == "" {
			if got != nil || strings.Contains(r.Text[len(r.Text)-1], "approval") || len(rows) != before || row != c.row {
				t.Errorf("%s: %v %q\n%s", c.args, got, r.Text, row)
			}
			continue
		}
		if len(rows) != before+1 || rows[0].Tool != "acme_request" || rows[0].CLI != "acme" || rows[0].CatalogDigest != catalog {
			t.Fatalf("%s: %+v", c.args, rows)
		}
		if row = strings.Replace(row, rows[0].ID, "ID", 1); row != c.row {
			t.Errorf("%s: row\n%s\n%s", c.args, row, c.row)
		}
		if text, _ := json.Marshal(got); len(text) < 50 || !strings.Contains(r.Text[len(r.Text)-1], fmt.Sprintf("approval=%q", c.approval)) {
			t.Errorf("%s: %s %q", c.args, text, r.Text)
		}
	}
}

func TestDenied(t *testing.T) {
	d := newApprovalFixture(t, `gateway: approvals: danger: "deny"`)
	for _, c := range []struct{ name, args, message, hint string }{
		{"policy", `{"prompt":"secret words","n":50,"approvalPolicy":"narrow","correlationId":"mine"}`,
			"nothing was run: the policy narrow denies a call of score 100\n- n (20): n is given\n- big (80)", `ask for less, so that fewer of these rules hold`},
		{"setting", `{"prompt":"secret words","yolo":true}`, "nothing was run: gateway.approvals.danger denies yolo", "leave out yolo"},
		{"widest policy", `{"prompt":"secret words","n":50,"yolo":true,"approvalPolicy":"wide"}`, "nothing was run: the policy wide denies a call of score 105\n- n (20): n is given\n- big (80)\n- danger (5): acts unasked", "leave out yolo"},
	} {
		for _, tool := range []string{"acme_request", "acme_request_async"} {
			before := len(d.decisions(t))
			r := d.call(t, tool, c.args)
			got := whole(t, r)
			failure, _ := got["error"].(map[string]any)
			if !r.IsError || r.Bare || failure["class"] != lang.ClassDenied || failure["message"] != c.message || failure["hint"] != c.hint {
				t.Errorf("%s: %v", c.name, got)
			}
			if r.Text[0] != fmt.Sprintf("Acme failed (denied): %s\nHint: %s", c.message, c.hint) || !strings.Contains(r.Text[1], "errorClass=denied") {
				t.Errorf("%s: %q", c.name, r.Text)
			}
			approval, _ := got["approval"].(map[string]any)
			rows := d.decisions(t)
			if len(rows) != before+1 || rows[0].Verdict != call.Denied || rows[0].Tool != tool || approval["id"] != rows[0].ID || approval["verdict"] != call.Denied {
				t.Errorf("%s: %v %+v", c.name, approval, rows)
			}
		}
	}
	if jobs := d.ran(t); len(jobs) > 0 {
		t.Errorf("calls that were denied ran: %+v", jobs)
	}
	if text, _ := os.ReadFile(d.Journal.Path); strings.Contains(string(text), "secret words") {
		t.Error("the journal tells the prompt")
	}
}

const borderline = `{"prompt":"mend\nit \"now\"","n":5,"yolo":true,"approvalStrategy":"mcp_managed"}`

func TestAPersonDecides(t *testing.T) {
	for _, c := range []struct {
		name    string
		reply   call.Reply
		err     error
		by      string
		answer  string
		message string
	}{
		{"approve", call.ChoseApprove, nil, "human", "approve", ""},
		{"deny", call.ChoseDeny, nil, "human", "deny", "the user was asked and denied it"},
		{"no choice", call.NoChoice, nil, "client", "no_choice", "it has answered by itself"},
		{"decline", call.Declined, nil, "client", "decline", "the client declined the question"},
		{"cancel", call.Dismissed, nil, "client", "cancel", "closed the question without a choice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newApprovalFixture(t, "")
			asked := ""
			r := d.Call(t.Context(), call.Request{Tool: "acme_request", Args: json.RawMessage(borderline), Client: call.Client{Name: "client", Version: "1"},
				Interaction: call.Interaction{Ask: func(_ context.Context, text string) (call.Reply, error) { asked += text; return c.reply, c.err }}})
			here, _ := os.Getwd()
			if want := "May Acme be called (acme_request, in " + here + ")? The policy narrow leaves it to you: its risk score is 25.\n- n (20): n is given\n- danger (5): acts unasked\nIt is given: yolo\nPrompt: \"mend it \\\"now\\\"\""; asked != want {
				t.Errorf("asked %s\nwant  %s", asked, want)
			}
			rows := d.decisions(t)
			if len(rows) != 1 || rows[0].Answer != c.answer || rows[0].By != c.by || rows[0].ClientName != "client" {
				t.Fatalf("%+v", rows)
			}
			if c.message == "" {
				if r.IsError || strings.TrimSpace(r.Response) != "ran -n 5 --yolo" || rows[0].Verdict != call.Approved || !strings.Contains(r.Text[1], `approval="approved by narrow and human, score 25"`) {
					t.Errorf("%q %+v", r.Text, rows)
				}
				return
			}
			if !r.IsError || !strings.Contains(r.Text[0], c.message) || rows[0].Verdict != call.Denied || len(d.ran(t)) > 0 {
				t.Errorf("%q %+v", r.Text, rows)
			}
			if strings.Contains(r.Text[0], "approvalPolicy") || strings.Contains(r.Text[0], "approvalStrategy") {
				t.Errorf("who denied it is gone around: %q", r.Text)
			}
			if again := strings.Contains(r.Text[0], "do not repeat"); again != (c.name == "deny" || c.name == "decline") {
				t.Errorf("%q", r.Text)
			}
		})
	}
}

// waitingJob is the job of a result that says that it waits, and how a person decides.
func waitingJob(t *testing.T, r Result) string {
	t.Helper()
	var got struct{ Status, JobID, Question string }
	if err := json.Unmarshal(r.Structured, &got); err != nil {
		t.Fatal(err)
	}
	if r.IsError || got.Status != "waiting" || !strings.HasPrefix(got.Question, "May Acme be called") || !strings.Contains(r.Text[0], "`gateway approvals answer "+got.JobID+" approve`") {
		t.Fatalf("%q %s", r.Text, r.Structured)
	}
	return got.JobID
}

// status is what llm_job_status says of a job, once it has ended if wait is set.
func (d approvalFixture) status(t *testing.T, job string, wait int) (text, status string) {
	t.Helper()
	r := d.call(t, JobStatus, fmt.Sprintf(`{"jobId":%q,"waitMs":%d}`, job, wait))
	var got struct{ Status string }
	if err := json.Unmarshal(r.Structured, &got); err != nil {
		t.Fatal(err)
	}
	return r.Text[0], got.Status
}

// TestACallWaitsForAPerson: a client that cannot ask gets a job that waits, and whoever is
// asked elsewhere decides about it.
func TestACallWaitsForAPerson(t *testing.T) {
	for _, tool := range []string{"acme_request", "acme_request_async"} {
		for decision, want := range map[string]string{"approve": "completed", "deny": "failed"} {
			t.Run(tool+" "+decision, func(t *testing.T) {
				d := newApprovalFixture(t, "")
				job := waitingJob(t, d.call(t, tool, borderline))
				if text, status := d.status(t, job, 0); status != "waiting" || !strings.Contains(text, "waits for a person") {
					t.Errorf("%q", text)
				}
				for _, of := range []struct{ tool, args, want string }{
					{JobList, `{"state":"waiting"}`, job + " waiting acme"}, {JobList, `{"state":"running"}`, "No jobs"}, {ApprovalList, `{}`, job + " waits for a person until"},
					{ApprovalList, `{}`, "May Acme be called (" + tool}, {JobResult, `{"jobId":"` + job + `"}`, "status=waiting"},
				} {
					if r := d.call(t, of.tool, of.args); r.IsError || !strings.Contains(strings.Join(r.Text, "\n"), of.want) {
						t.Errorf("%s %s: %q", of.tool, of.args, r.Text)
					}
				}
				if len(d.decisions(t)) > 0 || len(d.ran(t)) > 0 {
					t.Error("it ran, or something was decided, before the answer")
				}
				if r := d.answer(t, job, decision); r.IsError || len(d.decisions(t)) != 1 {
					t.Fatalf("%q", r.Text)
				}
				text, status := d.status(t, job, 50_000)
				row, jobs := d.decisions(t)[0], d.jobs(t)
				if status != want || row.By != "human" || row.Answer != decision || row.Tool != tool || row.CLI != "acme" || len(jobs) != 1 || jobs[0].Waits() {
					t.Errorf("%q %+v %+v", text, row, jobs)
				}
				if about := call.ReadApproval(jobs[0].Approval); about == nil || about.ID != row.ID || about.Verdict != row.Verdict || about.By != "human" {
					t.Errorf("the row has another decision: %s", jobs[0].Approval)
				}
				r := d.call(t, JobResult, `{"jobId":"`+job+`"}`)
				if decision == "approve" && strings.TrimSpace(r.Response) != "ran -n 5 --yolo" || decision == "deny" && (!strings.Contains(r.Text[0], "failed (denied): nothing was run: the user was asked and denied it") || len(d.ran(t)) > 0) {
					t.Errorf("%q", r.Text)
				}
				// Of an ended job nothing can be decided any more.
				for _, again := range []string{"approve", "deny"} {
					if r := d.answer(t, job, again); !r.IsError || !strings.Contains(r.Text[0], "does not wait for a decision: it has ended ("+want+")") || len(d.decisions(t)) != 1 {
						t.Errorf("%q", r.Text)
					}
				}
			})
		}
	}
}

func TestAnAnswerAboutNothing(t *testing.T) {
	d := newApprovalFixture(t, "")
	job := waitingJob(t, d.call(t, "acme_request", borderline))
	for _, c := range []struct{ job, decision, want string }{
		{job, "yes", "decision: must be"}, {job, "", "decision"}, {"01m8q00000000000000000000a", "approve", "there is no job"}, {"../x", "deny", "there is no job"},
	} {
		if r := d.answer(t, c.job, c.decision); !r.IsError || !strings.Contains(r.Text[0], c.want) {
			t.Errorf("%+v: %q", c, r.Text)
		}
	}
	for _, offered := range d.List() {
		if offered.Name == ApprovalAnswerTool.Name {
			t.Error("a model could decide about calls")
		}
	}
	if r := d.call(t, ApprovalAnswerTool.Name, `{"jobId":"`+job+`","decision":"approve"}`); !r.IsError || !strings.Contains(r.Text[0], "there is no tool") {
		t.Errorf("%q", r.Text)
	}
}

// TestAnEqualCallJoinsTheOneThatWaits, and one that is decided otherwise does not.
func TestAnEqualCallJoinsTheOneThatWaits(t *testing.T) {
	d := newApprovalFixture(t, "gateway: jobs: dedupMs: 3600000")
	job := waitingJob(t, d.call(t, "acme_request", borderline))
	if again := waitingJob(t, d.call(t, "acme_request_async", borderline)); again != job {
		t.Errorf("%s and %s wait", job, again)
	}
	wide := strings.Replace(borderline, `"mcp_managed"`, `"mcp_managed","approvalPolicy":"wide"`, 1)
	if r := d.call(t, "acme_request", wide); r.IsError || strings.TrimSpace(r.Response) != "ran -n 5 --yolo" {
		t.Errorf("a call that is approved waits with one that is not: %q", r.Text)
	}
	if again := waitingJob(t, d.call(t, "acme_request", borderline)); again != job {
		t.Errorf("an answer was given unasked, or %s and %s wait", job, again)
	}
	if r := d.answer(t, job, "deny"); r.IsError {
		t.Errorf("%q", r.Text)
	}
	if again := waitingJob(t, d.call(t, "acme_request", borderline)); again == job {
		t.Error("a job that was denied is joined")
	}
}

func TestACallThatWaitsIsCanceled(t *testing.T) {
	d := newApprovalFixture(t, "")
	job := waitingJob(t, d.call(t, "acme_request", borderline))
	r := d.call(t, JobCancel, `{"jobId":"`+job+`"}`)
	rows := d.decisions(t)
	if text, status := d.status(t, job, 0); status != "canceled" || len(rows) != 1 || rows[0].By != "client" || rows[0].Answer != "abandoned" || rows[0].Verdict != call.Denied || len(d.ran(t)) > 0 {
		t.Errorf("%q %q %+v", r.Text, text, rows)
	}
	if r := d.answer(t, job, "approve"); !r.IsError || !strings.Contains(r.Text[0], "it has ended (canceled)") {
		t.Errorf("%q", r.Text)
	}
}

func TestACallWaitsNoLongerThanItMay(t *testing.T) {
	d := newApprovalFixture(t, "gateway: approvals: waitMs: 1000")
	job := waitingJob(t, d.call(t, "acme_request", borderline))
	text, status := d.status(t, job, 50_000)
	d.Runner.Close() // whoever saw the end has recorded it then
	rows := d.decisions(t)
	if status != "failed" || !strings.Contains(text, "nobody did in time (gateway.approvals.waitMs)") || len(rows) != 1 || rows[0].By != "policy" || rows[0].Answer != "timeout" {
		t.Errorf("%q %+v", text, rows)
	}
}

// leaving is the cause of a context whose caller's user wants no more of the call.
type leaving struct{}

func (leaving) Error() string        { return "left" }
func (leaving) CancelReason() string { return "" }

// TestAPersonWhoDoesNotAnswer leaves the job to whoever is asked elsewhere, and a caller whose
// user gives up ends it.
func TestAPersonWhoDoesNotAnswer(t *testing.T) {
	d := newApprovalFixture(t, "gateway: approvals: askMs: 1000")
	silent := func(ctx context.Context, _ string) (call.Reply, error) { <-ctx.Done(); return "", ctx.Err() }
	ask := func(ctx context.Context, tool string, ask func(context.Context, string) (call.Reply, error)) Result {
		return d.Call(ctx, call.Request{Tool: tool, Args: json.RawMessage(borderline), Interaction: call.Interaction{Ask: ask}})
	}
	job := waitingJob(t, ask(t.Context(), "acme_request", silent))
	if r := d.answer(t, job, "approve"); r.IsError {
		t.Errorf("%q", r.Text)
	}
	// A client that does not ask after all is like one that cannot.
	waitingJob(t, ask(t.Context(), "acme_request", func(context.Context, string) (call.Reply, error) { return "", errors.New("no forms") }))

	ctx, cancel := context.WithCancelCause(t.Context())
	r := ask(ctx, "acme_request_async", func(ctx context.Context, text string) (call.Reply, error) {
		cancel(leaving{})
		return silent(ctx, text)
	})
	if rows := d.decisions(t); !r.IsError || len(rows) != 2 || rows[0].Answer != "abandoned" || rows[0].By != "client" || !strings.Contains(r.Text[0], "canceled before a person") {
		t.Errorf("%q %+v", r.Text, rows)
	}
}

// TestTheQuestionEndsWithTheDecision: what was decided elsewhere is not asked any longer.
func TestTheQuestionEndsWithTheDecision(t *testing.T) {
	d := newApprovalFixture(t, "")
	withdrawn := make(chan error, 1)
	r := d.Call(t.Context(), call.Request{Tool: "acme_request", Args: json.RawMessage(borderline), Interaction: call.Interaction{Ask: func(ctx context.Context, _ string) (call.Reply, error) {
		jobs := d.jobs(t)
		if r := d.answer(t, jobs[0].ID, "approve"); r.IsError {
			t.Errorf("%q", r.Text)
		}
		<-ctx.Done()
		withdrawn <- ctx.Err()
		return call.ChoseDeny, nil // too late
	}}})
	if err := <-withdrawn; err != context.Canceled || r.IsError || strings.TrimSpace(r.Response) != "ran -n 5 --yolo" {
		t.Errorf("%v %q", err, r.Text)
	}
	if rows := d.decisions(t); len(rows) != 1 || rows[0].Answer != "approve" {
		t.Errorf("%+v", rows)
	}
}

func TestNobodyIsAskedWithoutNeed(t *testing.T) {
	d := newApprovalFixture(t, "")
	ask := func(context.Context, string) (call.Reply, error) { t.Error("asked"); return call.ChoseApprove, nil }
	for _, args := range []string{`{"prompt":"x","approvalPolicy":"narrow"}`, `{"prompt":"x","n":50,"approvalPolicy":"narrow"}`, `{"prompt":"x","n":50}`, `{"prompt":"x","n":5,"approvalPolicy":"wide"}`} {
		if r := d.Call(t.Context(), call.Request{Tool: "acme_request", Args: json.RawMessage(args), Interaction: call.Interaction{Ask: ask, AskNextRound: true}}); r.NeedInput != nil {
			t.Errorf("%s: %+v", args, r)
		}
	}
	d = newApprovalFixture(t, `policy: narrow: human: "deny"`)
	if r := d.Call(t.Context(), call.Request{Tool: "acme_request", Args: json.RawMessage(borderline), Interaction: call.Interaction{Ask: ask}}); !r.IsError {
		t.Errorf("%+v", r)
	}
}

// TestAPersonDecidesInTheNextRound is for clients that call again with the answer.
func TestAPersonDecidesInTheNextRound(t *testing.T) {
	d := newApprovalFixture(t, "")
	round := func(args string, answer *call.Answer) Result {
		return d.Call(t.Context(), call.Request{Tool: "acme_request", Args: json.RawMessage(args), Interaction: call.Interaction{AskNextRound: true, Answer: answer}})
	}
	ask := func(args string, answer *call.Answer) string {
		t.Helper()
		r := round(args, answer)
		if r.NeedInput == nil || !strings.HasPrefix(r.NeedInput.Question.Text, "May Acme be called") || len(r.NeedInput.Question.State) < 20 {
			t.Fatalf("%+v", r)
		}
		return r.NeedInput.Question.State
	}
	state := ask(borderline, nil)
	if len(d.decisions(t)) > 0 || len(d.ran(t)) > 0 {
		t.Error("something was decided before the answer")
	}
	if r := round(borderline, &call.Answer{Reply: call.ChoseApprove, State: state}); r.IsError || strings.TrimSpace(r.Response) != "ran -n 5 --yolo" {
		t.Errorf("%q", r.Text)
	}
	// An acceptance lets run what was asked about, once, and nothing else.
	ask(borderline, &call.Answer{Reply: call.ChoseApprove, State: state})
	ask(borderline, &call.Answer{Reply: call.ChoseApprove, State: ""})
	ask(borderline, &call.Answer{Reply: call.ChoseApprove, State: "made up"})
	ask(strings.Replace(borderline, `"n":5`, `"n":6`, 1), &call.Answer{Reply: call.ChoseApprove, State: ask(borderline, nil)})
	ask(strings.Replace(borderline, `"mend`, `"break`, 1), &call.Answer{Reply: call.ChoseApprove, State: ask(borderline, nil)})
	// Other words for the same arguments are the same call.
	if r := round(`{"approvalStrategy": "mcp_managed", "yolo": true, "n": 5, "prompt": "mend\nit \"now\""}`, &call.Answer{Reply: call.ChoseApprove, State: ask(borderline, nil)}); r.IsError {
		t.Errorf("%q", r.Text)
	}
	for reply, by := range map[call.Reply]string{call.ChoseDeny: "human", call.NoChoice: "client", call.Declined: "client", call.Dismissed: "client"} {
		r := round(borderline, &call.Answer{Reply: reply, State: ask(borderline, nil)})
		if rows := d.decisions(t); !r.IsError || rows[0].Answer != string(reply) || rows[0].By != by {
			t.Errorf("%q %+v", r.Text, rows[0])
		}
	}
	if n := len(d.ran(t)); n != 2 {
		t.Errorf("%d calls ran", n)
	}
}

func TestADecisionThatCannotBeRecordedLetsNothingRun(t *testing.T) {
	d := newApprovalFixture(t, "")
	if err := os.Mkdir(d.Journal.Path, 0o700); err != nil {
		t.Fatal(err)
	}
	r := d.call(t, "acme_request", `{"prompt":"x","approvalPolicy":"wide"}`)
	if got := whole(t, r); !r.IsError || !strings.Contains(fmt.Sprint(got["error"]), "class:record") || len(d.ran(t)) > 0 {
		t.Errorf("%v", got)
	}
	r = d.call(t, "acme_request", `{"prompt":"x","n":50,"approvalPolicy":"narrow"}`)
	if !strings.Contains(r.Text[0], "denied") || !strings.Contains(r.Text[0], "cannot be recorded") {
		t.Errorf("%q", r.Text)
	}
	if r := d.call(t, "acme_request", `{"prompt":"x"}`); r.IsError {
		t.Errorf("a call without a decision: %q", r.Text)
	}
	d.Tools.Decisions = func() (ApprovalStore, error) { return nil, errors.New("the file is gone") }
	if r := d.call(t, "acme_request", `{"prompt":"x","approvalPolicy":"wide"}`); !strings.Contains(r.Text[0], "the file is gone") {
		t.Errorf("%q", r.Text)
	}
}

func TestApprovalList(t *testing.T) {
	d := newApprovalFixture(t, "")
	list := func(args string) (text string, rows []store.Approval) {
		t.Helper()
		r := d.call(t, ApprovalList, args)
		var got struct{ Approvals []store.Approval }
		if err := json.Unmarshal(r.Structured, &got); err != nil || r.IsError || got.Approvals == nil {
			t.Fatalf("%v: %+v", err, r)
		}
		return r.Text[0], got.Approvals
	}
	if text, rows := list(`{}`); text != "No decisions are recorded." || len(rows) != 0 {
		t.Errorf("%s %v", text, rows)
	}
	d.call(t, "acme_request", `{"prompt":"x","approvalPolicy":"wide"}`)
	d.call(t, "acme_request", `{"prompt":"x","n":50,"approvalPolicy":"narrow"}`)
	text, rows := list(`{"limit":500,"cli":"acme"}`)
	lines := strings.Split(text, "\n")
	if len(rows) != 2 || len(lines) != 2 || !strings.HasSuffix(lines[0], " acme denied score 100 by policy narrow") || !strings.HasSuffix(lines[1], " acme approved score 0 by policy wide") {
		t.Errorf("%q %+v", lines, rows)
	}
	if _, rows := list(`{"limit":1}`); len(rows) != 1 || rows[0].Verdict != call.Denied {
		t.Errorf("%+v", rows)
	}
	for args, want := range map[string]string{`{"limit":0}`: "limit: must be 1 to 500", `{"limit":501}`: "limit: must be 1 to 500", `{"cly":"x"}`: `did you mean "cli"`, `{"cli":"none"}`: `there is no CLI "none"`} {
		if r := d.call(t, ApprovalList, args); !r.IsError || !strings.Contains(r.Text[0], want) {
			t.Errorf("%s: %q", args, r.Text)
		}
	}
	d.Tools.Decisions = func() (ApprovalStore, error) { return nil, nil }
	if r := d.call(t, ApprovalList, `{}`); !r.IsError || !strings.Contains(r.Text[0], d.Journal.Path) {
		t.Errorf("%q", r.Text)
	}
	if r := d.call(t, "acme_request", `{"prompt":"x","approvalPolicy":"wide"}`); r.IsError {
		t.Errorf("without a record: %q", r.Text)
	}
}

// TestDecidedBeforeJoining holds that nobody gets the answer to a call that they may not
// make themselves, and that who joins is told the decision about their own call.
func TestDecidedBeforeJoining(t *testing.T) {
	d := newApprovalFixture(t, "gateway: jobs: dedupMs: 3600000")
	ask := func(tool, policy string) (joined bool, about call.Approval, r Result) {
		t.Helper()
		r = d.call(t, tool, `{"prompt":"x","n":50,"approvalPolicy":"`+policy+`"}`)
		var got struct {
			Joined   bool
			Approval call.Approval
		}
		if err := json.Unmarshal(r.Structured, &got); err != nil {
			t.Fatal(err)
		}
		return got.Joined, got.Approval, r
	}
	_, first, r := ask("acme_request", "wide")
	if r.IsError {
		t.Fatalf("%q", r.Text)
	}
	if joined, about, r := ask("acme_request", "narrow"); joined || !r.IsError || about.Verdict != call.Denied {
		t.Errorf("%q", r.Text)
	}
	for _, tool := range []string{"acme_request", "acme_request_async"} {
		if joined, about, r := ask(tool, "wide"); !joined || r.IsError || about.ID == first.ID || about.Verdict != call.Approved {
			t.Errorf("%s: %v %+v, the first was %+v", tool, joined, about, first)
		}
	}
	if rows := d.decisions(t); len(rows) != 4 || len(d.ran(t)) != 1 {
		t.Errorf("%+v", rows)
	}
}

func TestParametersOfApproval(t *testing.T) {
	d := newApprovalFixture(t, "")
	for args, want := range map[string]string{
		`{"prompt":"x","approvalStrategy":"manual"}`: `approvalStrategy: must be "legacy" or "mcp_managed", not "manual"`,
		`{"prompt":"x","approvalPolicy":"wid"}`:      `approvalPolicy: must be "narrow" or "wide", not "wid" (did you mean "wide"?)`,
	} {
		if r := d.call(t, "acme_request", args); !r.IsError || !strings.HasPrefix(r.Text[0], want) {
			t.Errorf("%s: %q", args, r.Text)
		}
	}
	for _, tool := range d.List() {
		has := strings.Contains(string(tool.Input), `"approvalStrategy":`) && strings.Contains(string(tool.Input), `"approvalPolicy":`)
		if has != strings.Contains(tool.Name, "_request") {
			t.Errorf("%s: %s", tool.Name, tool.Input)
		}
	}
	e, err := d.Explain(t.Context(), "acme_request", json.RawMessage(borderline))
	if err != nil || len(e.Policies) != 3 || e.Approval.Verdict != "human" || e.Approval.Policy != "narrow" || e.Policies[2].Verdict != "approve" || len(e.Risks) != 2 {
		t.Errorf("%+v %v", e, err)
	}
	if len(d.decisions(t)) != 0 {
		t.Error("an explanation is no decision")
	}
}
