package job

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/changes"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/job/outcome"
	"github.com/llm-cli-gateway/gateway/engine/job/queue"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// A call that was made already is not made again: it joins the job of the first, while
// that runs and for a time after it was answered. Clients give up on calls and make
// them anew.

// never is after the end of every job.
var never = time.Unix(1<<33, 0)

// setDedupKey gives the row its key: equal keys mean equal calls. There is none where
// joining is turned off.
func (r *run) setDedupKey() {
	window := time.Duration(r.Catalog.Settings.Jobs.DedupMs) * time.Millisecond
	mark, alike, wrong := r.Bound.Canonical()
	if window <= 0 || wrong != nil {
		return
	}
	r.since = r.started.Add(-window)
	if r.Bound.Mode != lang.New || r.Asked != nil { // the next turn is not the last one again, and who has to ask gets no answer unasked
		r.since = never
	}
	environ, err := r.Host.Environ(r.dedupEnviron(alike))
	if err != nil {
		return
	}
	environ = slices.DeleteFunc(environ, func(kv string) bool { return strings.HasPrefix(kv, "PATH=") })
	text, err := json.Marshal([]any{r.Bound.CLI.Name, mark, r.Bound.Show, alike.Bin, alike.Args, alike.Stdin, alike.Files, r.Bound.Sent(), r.Dir, environ})
	if err != nil {
		return
	}
	sum := sha256.Sum256(text)
	r.row.DedupKey = hex.EncodeToString(sum[:])
}

// dedupEnviron is the part of the environment by which calls differ: what the spec of the CLI
// passes or sets, what its MCP servers need, where its settings lie, and how it reaches
// the network. What else is
// passed, as the kind of the terminal, differs between clients and changes no answer.
func (r *run) dedupEnviron(command catalog.Command) host.Filter {
	all := environment.OfCall(r.Catalog, r.Bound, command, r.Dir)
	return host.Filter{Pass: slices.Concat([]string{"HOME", "USERPROFILE", "XDG_CONFIG_HOME", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"}, r.Bound.CLI.Env.Pass, r.Bound.Servers().Variables()),
		Drop: all.Drop, Set: all.Set}
}

// joinAttempts bounds how often a job that turns out to have ended is skipped.
const joinAttempts = 8

// join looks for a job to join, without making a row. Of the same calls at once more
// than one may find none: accept decides.
func (r *run) join(ctx context.Context) (*call.Job, *lang.Failure) {
	if r.row.DedupKey == "" || r.Bound.Force {
		return nil, nil
	}
	for range joinAttempts {
		row, err := r.records.FindJoinable(ctx, r.Principal, r.row.DedupKey, r.since)
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, r.recordFailure(ctx, err)
		}
		joined, again := r.joinable(ctx, row)
		if joined != nil || !again {
			return joined, nil
		}
	}
	return nil, nil
}

// joinable is the job of the row, if its answer can be had. Again says that the row has
// changed and another look is worth while.
func (r *run) joinable(ctx context.Context, row store.Job) (joined *call.Job, again bool) {
	was := row.State
	job, err := r.status(ctx, r.records, row)
	switch {
	case err != nil:
		return nil, false
	case !job.State.Ended() && (job.State == call.Waiting) != (r.Asked != nil):
		return nil, false // of two calls about which different things were decided neither is the other
	case job.State == call.Completed:
		if r.since.Equal(never) || !r.readable(job) {
			return nil, false
		}
		if !r.fresh(job.Row) {
			r.since = job.Row.Outcome.Ended.Add(1) // only what ended later may do
			return nil, true
		}
		job.Age = max(time.Millisecond, time.Since(job.Row.Outcome.Ended))
	case job.State.Ended():
		return nil, was == store.Live && job.Row.State == store.Done
	case job.Canceling:
		return nil, false
	}
	if x, err := r.executor().find(row.ID); err == nil && !job.State.Ended() {
		// The caller that started the job must not cancel it for us. Where the mark cannot be
		// written, we must not join.
		if x.mark(markShared) != markShared {
			return nil, false
		}
	}
	job.Joined = true
	return &job, false
}

// Marks of a job, of which the first one counts: it is shared, so that it is not canceled
// when a caller leaves, or its only caller has left.
const (
	markShared    = "shared"
	markAbandoned = "abandoned"
)

// fresh reports whether the answer of an ended job is still that to the call: nothing below
// the working directory has changed since the job began. What changed while it ran counts
// too, because the program may have read it before; but not where the call is known to allow
// it to change files, which are then taken to be its own work.
func (r *run) fresh(row store.Job) bool {
	since := row.Created
	if r.Bound.CLI.HasLevels() && queue.Writes(&r.Bound.Access) || len(r.Bound.Dangers()) > 0 {
		since = row.Outcome.Ended
	}
	changed, err := changes.Since(r.Dir, since, r.Own)
	return err == nil && changed == ""
}

// readable reports whether the whole answer of an ended job is there.
func (r *run) readable(job call.Job) bool {
	if job.Row.ResponseBytes <= int64(len(job.Row.Outcome.Response)) && outcome.WhyUnrecorded(job.Row.Outcome) == "" {
		return true
	}
	files, err := r.spoolsOf(job.Row.ID)
	if err != nil {
		return false
	}
	defer files.Close()
	return files.Complete
}

// accept makes the row of the call, or joins the one that has been made meanwhile. A caller
// who leaves now does not interrupt that: the row might be there although we are told that it
// is not, and then be the row of a job that nobody starts.
func (r *run) accept(ctx context.Context) (*call.Job, *lang.Failure) {
	if ctx.Err() != nil {
		return nil, r.recordFailure(ctx, ctx.Err())
	}
	ctx = context.WithoutCancel(ctx)
	for range joinAttempts {
		if r.row.DedupKey == "" || r.Bound.Force {
			break
		}
		other, err := r.records.BeginOrJoin(ctx, r.row, r.since)
		if err != nil {
			return nil, r.beginFailure(ctx, err)
		}
		if other == nil {
			return nil, nil
		}
		joined, again := r.joinable(ctx, *other)
		if joined != nil {
			return joined, nil
		}
		if !again { // it cannot be joined, and is in the way
			break
		}
	}
	err := r.records.Begin(ctx, r.row)
	if errors.Is(err, store.ErrDuplicate) {
		r.row.DedupKey = ""
		err = r.records.Begin(ctx, r.row)
	}
	if err != nil {
		return nil, r.beginFailure(ctx, err)
	}
	return nil, nil
}

// recordJoin is the job that the call joined, which has the call on record then; zero if it
// joined none.
func (r *run) recordJoin(ctx context.Context, joined *call.Job) call.Job {
	if joined == nil {
		return call.Job{}
	}
	job, detached := *joined, context.WithoutCancel(ctx)
	join := store.Join{JobID: job.Row.ID, Principal: r.Principal, Tool: r.Tool, ParentID: r.parent(detached), CorrelationID: r.secrets.Redact(r.Bound.CorrelationID), Approval: r.Approval.Record(),
		GatewayVersion: r.Version, ClientName: r.Client.Name, ClientVersion: r.Client.Version, Created: r.started}
	err := r.records.RecordJoin(detached, join)
	if r.Log != nil && err == nil {
		var log CallStore
		if log, err = r.Log(); err == nil && log != nil {
			err = log.RecordJoin(detached, join)
		}
	}
	if err != nil { // nothing was run for it, so the answer need not be withheld
		job.Notes = append(slices.Clip(job.Notes), "that this call was made could not be recorded: "+err.Error())
	}
	return job
}

// maxJoins is how many calls that share a job are listed.
const maxJoins = 20

// Joins are the newest calls of a principal that share a job, 20 at most.
func (r *Runner) Joins(ctx context.Context, principal, id string) ([]store.Join, error) {
	records, err := r.Record()
	if err != nil {
		return nil, err
	}
	return records.Joins(ctx, principal, id, maxJoins)
}
