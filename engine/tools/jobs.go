package tools

import (
	"context"
	"errors"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Names of the tools about jobs.
const (
	JobStatus = "llm_job_status"
	JobResult = "llm_job_result"
	JobCancel = "llm_job_cancel"
	JobList   = "llm_job_list"
)

const (
	maxWaitMs    = 60_000
	defaultChars = 10_000
	maxChars     = 1_000_000

	// cancelWait is for how long a cancellation is waited for: the usual grace and a bit.
	cancelWait = 8 * time.Second
)

var (
	jobID  = &catalog.Param{Name: "jobId", Kind: catalog.String, ParamSpec: lang.ParamSpec{Doc: "Id of the job.", Required: true, MaxLength: ptr(64)}}
	waitMs = number("waitMs", "Wait so long for the end of the job.", 0, maxWaitMs, nil)

	builtins = []*catalog.Builtin{
		catalog.NewBuiltin(catalog.Tool{Name: JobStatus, Title: "Status of a job", Output: catalog.JobSchema, ReadOnly: true, Idempotent: true,
			Description: "Tell where a job stands."}, jobID, waitMs),
		catalog.NewBuiltin(catalog.Tool{Name: JobResult, Title: "Result of a job", Output: catalog.ResultSchema, ReadOnly: true, Idempotent: true,
			Description: "Return the answer and the output of a job; of one that still runs, the output so far."},
			jobID, waitMs,
			number("maxChars", "Characters of each text.", 1, maxChars, defaultChars),
			&catalog.Param{Name: "offset", Kind: catalog.Int, ParamSpec: lang.ParamSpec{Doc: "First character of each text; nextOffset goes on.", Min: ptr(0.0)}}),
		catalog.NewBuiltin(catalog.Tool{Name: JobCancel, Title: "Cancel a job", Output: catalog.JobSchema, Destructive: true, Idempotent: true,
			Description: "End a job and all that it started."}, jobID),
		catalog.NewBuiltin(catalog.Tool{Name: JobList, Title: "List jobs", Output: catalog.JobsSchema, ReadOnly: true, Idempotent: true,
			Description: "List jobs, newest first."},
			&catalog.Param{Name: "cli", Kind: catalog.String, ParamSpec: lang.ParamSpec{Doc: "Only those of this CLI.", MaxLength: ptr(64)}},
			&catalog.Param{Name: "state", Kind: catalog.String, ParamSpec: lang.ParamSpec{Doc: "Only those in this state.", Enum: []string{
				string(call.Queued), string(call.Running), string(call.Completed), string(call.Failed), string(call.Canceled), string(call.Orphaned)}}},
			number("limit", "At most so many.", 1, 500, 20)),
		approvalList,
		gatewayStatus, versionsTool, upgradeTool,
		listModels,
		sessionCreate, sessionList, sessionUse, sessionGet, sessionDelete, sessionClear,
	}
)

// number is a whole number with bounds.
func number(name, doc string, least, most float64, preset any) *catalog.Param {
	return &catalog.Param{Name: name, Kind: catalog.Int, ParamSpec: lang.ParamSpec{Doc: doc, Min: &least, Max: &most, Default: preset}}
}

func ptr[T any](v T) *T { return &v }

// builtin answers a tool of the gateway itself.
func (t *Tools) builtin(ctx context.Context, tool *catalog.Builtin, c *call.Request) Result {
	args, violations := tool.Bind(c.Args, t.Catalog().Settings.Injected)
	if violations != nil {
		return refused(call.Complaint(tool.Name, violations), "correct the arguments and call again; nothing was done")
	}
	if tool == versionsTool || tool == upgradeTool {
		return t.aboutCLIs(ctx, tool, args, c)
	}
	id, _ := args[jobID.Name].(string)
	wait, _ := args[waitMs.Name].(int)
	var r Result
	var err error
	switch tool.Name {
	case JobStatus:
		var j call.Job
		if j, err = t.await(ctx, id, time.Duration(wait)*time.Millisecond, c.Progress); err == nil {
			if j.Joins, err = t.Runner.Joins(ctx, id); err == nil {
				r = t.told(j, "")
			}
		}
	case JobResult:
		if _, err = t.await(ctx, id, time.Duration(wait)*time.Millisecond, c.Progress); err == nil {
			offset, _ := args["offset"].(int)
			most := args["maxChars"].(int)
			var res job.Result
			if res, err = t.Runner.Result(ctx, id, offset, most); err == nil {
				r = t.output(res, offset+most)
			}
		}
	case JobCancel:
		r, err = t.cancel(ctx, id, c.Client)
	case SessionCreate, SessionList, SessionUse, SessionGet, SessionDelete, SessionClear:
		return t.session(ctx, tool.Name, args)
	case ApprovalList:
		r, err = t.approvals(ctx, args)
	case GatewayStatus:
		return t.status()
	case ListModels:
		cli, _ := args["cli"].(string)
		r = t.models(ctx, cli)
	case JobList:
		cli, _ := args["cli"].(string)
		state, _ := args["state"].(string)
		var jobs []call.Job
		if jobs, err = t.Runner.List(ctx, job.Filter{CLI: cli, State: call.State(state), Limit: args["limit"].(int)}); err == nil {
			r = t.listing(jobs)
		}
	}
	if err != nil {
		return problem(err)
	}
	return r
}

// await waits for a job of which only the id is known.
func (t *Tools) await(ctx context.Context, id string, d time.Duration, tell func(string)) (call.Job, error) {
	j, err := t.Runner.Status(ctx, id)
	if err != nil || d <= 0 || j.State.Ended() {
		return j, err
	}
	return t.Calls.Follow(ctx, j, d, tell)
}

func (t *Tools) cancel(ctx context.Context, id string, client call.Client) (Result, error) {
	before, err := t.Runner.Status(ctx, id)
	if err != nil {
		return Result{}, err
	}
	if before.State.Ended() {
		return t.told(before, "The job had ended before; nothing was done."), nil
	}
	by := JobCancel
	if client.Name != "" {
		by += " by " + client.Name
	}
	j, err := t.Runner.Cancel(ctx, id, by, cancelWait)
	if err != nil {
		return Result{}, err
	}
	if !j.State.Ended() {
		return t.told(j, "The job is being ended."), nil
	}
	return t.told(j, ""), nil
}

// problem is what a caller is told who asked for a job in vain.
func problem(err error) Result {
	var none *job.NoJobError
	switch {
	case errors.As(err, &none):
		return refused(err.Error(), JobList+" lists the jobs; finished ones are removed after a time (gateway.jobs.retentionDays)")
	case errors.Is(err, job.ErrElsewhere):
		return refused(err.Error(), "cancel the request that made it, or end its gateway")
	}
	f := catalog.Failure{Class: catalog.ClassRecord, Message: err.Error()}
	return failedTool(f)
}

func refused(message, hint string) Result {
	return failedTool(catalog.Failure{Class: catalog.ClassUsage, Message: message, Hint: hint})
}

func failedTool(f catalog.Failure) Result {
	s := structured{Status: string(call.Failed), Error: &f}
	return Result{Text: []string{f.Message + hintText(f), trailer(s)}, Structured: encode(s), IsError: true, Bare: true}
}

// tool is what a name stands for.
type tool struct {
	cli     *catalog.CLI // of a request, waited for or not
	async   bool
	builtin *catalog.Builtin
}

// names are those of its parameters.
func (t tool) names() (names []string) {
	var params []*catalog.Param
	if t.cli != nil {
		params = t.cli.Params()
	} else {
		params = t.builtin.Params()
	}
	for _, p := range params {
		names = append(names, p.Name)
	}
	return names
}

// param is a parameter of the tool.
func (t tool) param(name string) (*catalog.Param, bool) {
	if t.cli != nil {
		return t.cli.Param(name)
	}
	return t.builtin.Param(name)
}
