package tools

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// newJobs is newTools with a record and a place for jobs.
func newJobs(t *testing.T) *Tools {
	t.Helper()
	tools := newTools(t)
	records, err := sqlite.Open(filepath.Join(t.TempDir(), "logs.db"))
	if err != nil {
		t.Fatal(err)
	}
	tools.Runner.Volatile = false
	tools.Runner.Record = func() (job.Store, error) { return records, nil }
	tools.Runner.Jobs = filepath.Join(t.TempDir(), "jobs")
	t.Cleanup(func() { tools.Runner.Close(); records.Close() })
	return tools
}

// start starts a job and returns its id.
func (t *Tools) start(tb testing.TB, name, args string) string {
	tb.Helper()
	r, got := t.ask(tb, name, args)
	if r.IsError || got["status"] != "running" || got["durable"] != true || !strings.Contains(r.Text[0], JobResult) {
		tb.Fatalf("%+v", r)
	}
	return got["jobId"].(string)
}

func TestJobThroughTheTools(t *testing.T) {
	tools := newJobs(t)
	id := tools.start(t, "acme_request_async", `{"prompt":"äbc <def>","correlationId":"mine"}`)
	asked := func(more string) string { return fmt.Sprintf(`{"jobId":%q%s}`, id, more) }
	r, got := tools.ask(t, JobStatus, asked(`,"waitMs":60000`))
	if r.IsError || !r.Bare || got["status"] != "completed" || got["cli"] != "acme" || got["correlationId"] != "mine" || got["exitCode"] != 0.0 || got["ended"] == nil {
		t.Errorf("%+v", r)
	}
	if r.Text[0] != "Job "+id+" of Acme completed." || !strings.HasPrefix(r.Text[1], "[status=completed jobId="+id+" cli=acme correlationId=mine exitCode=0") {
		t.Errorf("text: %q", r.Text)
	}
	r, got = tools.ask(t, JobResult, asked(""))
	if r.Response != "äbc <def>" || got["stdout"] != nil || got["stderr"] != nil || got["truncated"] != false || got["totalChars"] != 9.0 {
		t.Errorf("%+v", r)
	}
	r, got = tools.ask(t, JobResult, asked(`,"include":["stdout","stderr"]`))
	if r.Response != "äbc <def>" || got["stdoutChars"] != 9.0 || got["stderrChars"] != 0.0 || got["stdout"] != "äbc <def>" || got["stderr"] != "" || got["truncated"] != false || got["totalChars"] != 9.0 || got["nextOffset"] != nil {
		t.Errorf("%+v", r)
	}
	if len(r.Text) != 2 || r.Text[0] != "äbc <def>" {
		t.Errorf("text: %q", r.Text)
	}
	// Windows put together are the whole.
	whole, offset := "", 0.0
	for {
		_, got = tools.ask(t, JobResult, asked(fmt.Sprintf(`,"maxChars":4,"offset":%v`, offset)))
		whole += got["response"].(string)
		next, more := got["nextOffset"].(float64)
		if more != got["truncated"].(bool) || more && next != offset+4 {
			t.Fatalf("%v", got)
		}
		if !more {
			break
		}
		offset = next
	}
	if whole != "äbc <def>" {
		t.Errorf("%q", whole)
	}
	r, got = tools.ask(t, JobCancel, asked(""))
	if r.IsError || got["status"] != "completed" || !strings.Contains(r.Text[0], "had already ended") {
		t.Errorf("%+v", r)
	}
	r, got = tools.ask(t, JobList, `{"cli":"acme"}`)
	jobs := got["jobs"].([]any)
	if r.IsError || len(jobs) != 1 || jobs[0].(map[string]any)["jobId"] != id || jobs[0].(map[string]any)["prompt"] != "äbc <def>" || !strings.HasPrefix(r.Text[0], id+" completed acme ") {
		t.Errorf("%+v", r)
	}
	if r, got = tools.ask(t, JobList, `{"state":"running"}`); len(got["jobs"].([]any)) != 0 || r.Text[0] != "No jobs were found." {
		t.Errorf("%+v", r)
	}
}

func TestFailedJobThroughTheTools(t *testing.T) {
	tools := newJobs(t)
	id := tools.start(t, "zeta_request_async", `{"prompt":"x","rec":"{\"error\":\"quota is over\",\"wait\":7}"}`)
	r, got := tools.ask(t, JobResult, fmt.Sprintf(`{"jobId":%q,"waitMs":60000,"include":"stdout"}`, id))
	failure := got["error"].(map[string]any)
	if !r.IsError || got["status"] != "failed" || failure["class"] != "quota" || failure["retryAfterMs"] != 7.0 || failure["hint"] == "" {
		t.Errorf("%+v", r)
	}
	if !strings.HasPrefix(r.Text[0], "zeta failed (quota): quota is over\nHint: ") || !strings.HasPrefix(r.Text[1], "Standard output:\n{") {
		t.Errorf("text: %q", r.Text)
	}
	if r, got = tools.ask(t, JobStatus, fmt.Sprintf(`{"jobId":%q}`, id)); r.IsError || got["status"] != "failed" || !strings.Contains(r.Text[0], "zeta failed (quota)") {
		t.Errorf("%+v", r)
	}
	r, got = tools.ask(t, "gone_request_async", `{"prompt":"x"}`)
	if !r.IsError || got["status"] != "failed" || got["jobId"] == nil || !strings.Contains(r.Text[0], "get gone") {
		t.Errorf("%+v", r)
	}
}

func TestRefusalsOfJobTools(t *testing.T) {
	tools := newJobs(t)
	for _, c := range []struct{ tool, args, want string }{
		{JobStatus, `{}`, "jobId: missing required parameter"},
		{JobStatus, `{"jobID":"x","waitMs":70000}`, "3 problems with the arguments of llm_job_status:\n- jobID: unknown parameter (did you mean \"jobId\"?)\n- jobId: missing required parameter\n- waitMs: must be 0 to 60,000, not 70,000"},
		{JobStatus, `{"jobId":[7]}`, "jobId: must be a string, not a list"},
		{JobStatus, `[]`, "the arguments must be an object"},
		{JobStatus, `{"jobId":"../../x"}`, `there is no job "../../x"`},
		{JobResult, `{"jobId":"x","offset":-1}`, "offset: must be at least 0"},
		{JobResult, `{"jobId":"x","maxChars":0}`, "maxChars: must be 1 to 1,000,000, not 0"},
		{JobCancel, fmt.Sprintf(`{"jobId":%q}`, store.NewID()), "llm_job_list lists the jobs"},
		{JobList, `{"state":"runing"}`, `did you mean "running"?`},
		{JobList, `{"limit":"all"}`, "limit: must be an integer"},
		{"acme_request_async", `{"promt":"x"}`, `did you mean "prompt"?`},
		{"llm_job_statu", `{}`, `did you mean "llm_job_status"?`},
	} {
		if r := tools.call(t, c.tool, c.args); !r.IsError || !strings.Contains(r.Text[0], c.want) {
			t.Errorf("%s %s: %q, want %q", c.tool, c.args, r.Text, c.want)
		}
	}
	if r, _ := tools.ask(t, JobList, `{"wait_for_previous":true,"cli":null}`); r.IsError {
		t.Errorf("%+v", r)
	}
	if _, err := tools.Explain(t.Context(), JobList, nil); err == nil || !strings.Contains(err.Error(), "runs no program") {
		t.Error(err)
	}
	if x, err := tools.Explain(t.Context(), "acme_request_async", json.RawMessage(`{"prompt":"x"}`)); err != nil || *x.Stdin != "x" {
		t.Errorf("%+v %v", x, err)
	}
}

func TestHintsOfJobTools(t *testing.T) {
	for _, tool := range newTools(t).List() {
		reads := slices.Contains([]string{JobStatus, JobResult, JobList, ApprovalList, GatewayStatus, CLIVersions, ListModels, SessionList, SessionGet}, tool.Name)
		if tool.ReadOnly != reads || tool.Destructive && reads || tool.Name == JobCancel && !tool.Destructive {
			t.Errorf("%s: %+v", tool.Name, tool)
		}
	}
}
