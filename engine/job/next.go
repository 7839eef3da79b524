package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/budget"
	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/job/attempts"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/job/jobdir"
	"github.com/llm-cli-gateway/gateway/engine/job/queue"
	"github.com/llm-cli-gateway/gateway/engine/job/storedcall"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Between two attempts a job is live and nothing of it runs: its row says when the next one may
// start. The gateway that recorded the end of the last one starts it. If that is gone, any
// other that looks at the job does, with what the directory of the last attempt holds.

// dir is the name of the directory of the attempt.
func (r *run) dir() string { return jobdir.Name(r.id, r.attempt) }

// stored is the call as another gateway needs it to make another attempt; nil if there can be
// none.
func (r *run) stored() *storedcall.Call {
	if r.Bound == nil || len(r.Args) == 0 {
		return nil
	}
	c := storedcall.Of(r.Bound, r.Args, r.Roots, r.depth)
	c.Instead = r.instead
	return &c
}

// chain notes who is asked if the call fails.
func (r *run) chain() {
	r.instead = nil
	var plan attempts.Plan
	for _, a := range r.Instead {
		c := storedcall.Of(a.Bound, a.Args, r.Roots, r.depth)
		c.CLI = a.Bound.CLI.Name
		target := attempts.Target{Model: a.Bound.Model, On: a.On}
		if c.CLI != r.Bound.CLI.Name {
			target.CLI = c.CLI
		}
		r.instead, plan.Chain = append(r.instead, c), append(plan.Chain, target)
	}
	if len(plan.Chain) > 0 {
		r.row.Plan = text.MustJSON(plan)
	}
}

// turn makes the call the one that the plan of a row asks for now.
func (r *run) turn(row *store.Job) error {
	plan := attempts.PlanOf(row)
	if plan.At < 1 || plan.At > len(r.instead) || plan.Tries > 0 { // the same as before
		return nil
	}
	c := r.instead[plan.At-1]
	asked := row.CLI
	*row = c.For(*row)
	if row.CLI != asked && row.Asked == "" {
		row.Asked = asked
	}
	var err error
	if r.Bound, err = c.Bind(r.Catalog, *row); err == nil {
		r.Args = c.Args
	}
	return err
}

// again is the call of a row as its last attempt made it.
func (r *Runner) again(row store.Job) (*run, error) {
	m, err := jobdir.Read(filepath.Join(r.folder(), jobdir.Name(row.ID, row.N())))
	if err != nil {
		return nil, err
	}
	if m.Call == nil {
		return nil, errors.New("its call was not kept")
	}
	records, err := r.Record()
	if err != nil {
		return nil, err
	}
	run := r.runOf(records, row)
	run.attempt = row.N()
	if run.Bound, err = m.Call.Bind(run.Catalog, row); err != nil {
		return nil, err
	}
	run.Args, run.Roots, run.depth, run.instead = m.Call.Args, m.Call.Roots, m.Call.Depth, m.Call.Instead
	return run, nil
}

// retrying is the job of a row that is between two attempts.
func (r *Runner) retrying(ctx context.Context, records Store, row store.Job) (call.Job, error) {
	made, err := records.Attempts(ctx, row.ID)
	if err != nil {
		return call.Job{}, err
	}
	if r.pendingJob(row.ID) == nil && !r.nestedCall() {
		r.proceed(records, row, nil, time.Now().Add(max(0, time.Until(row.Next))+holderDelay))
	}
	return call.Job{Row: row, State: call.Retrying, Durable: r.durable(row), Attempts: made}, nil
}

// pending is a job whose next attempt this gateway starts when it is time.
type pending struct {
	at   time.Time
	stop chan struct{} // closed when somebody else here starts it earlier
	done chan struct{} // closed when it was started, or will not be by this one
}

func (r *Runner) pendingJob(id string) *pending {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waits[id]
}

// proceed starts the next attempt of a job at a time, unless this gateway stops before. Of two who
// want that the earlier one does: who has just recorded the end of the last attempt, and not who
// looked at the job right behind it.
func (r *Runner) proceed(records Store, row store.Job, last *run, at time.Time) {
	p := &pending{at: at, stop: make(chan struct{}), done: make(chan struct{})}
	closing := r.closing()
	r.mu.Lock()
	if r.waits == nil {
		r.waits = map[string]*pending{}
	}
	if other := r.waits[row.ID]; other != nil {
		if !at.Before(other.at) {
			r.mu.Unlock()
			return
		}
		close(other.stop)
	}
	r.waits[row.ID] = p
	r.mu.Unlock()
	r.running.Add(1)
	go func() {
		defer r.running.Done()
		defer close(p.done)
		defer func() {
			r.mu.Lock()
			if r.waits[row.ID] == p {
				delete(r.waits, row.ID)
			}
			r.mu.Unlock()
		}()
		timer := time.NewTimer(time.Until(at))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-closing:
			return
		case <-p.stop:
			return
		}
		// What went wrong is in the row, or is tried again by whoever looks next.
		_, _ = r.startNext(context.Background(), records, row, last)
	}()
}

// startNext starts the next attempt of a job, of which one of all who try it succeeds.
func (r *Runner) startNext(ctx context.Context, records Store, row store.Job, last *run) (call.Job, error) {
	row, err := records.Job(ctx, store.AnyPrincipal, row.ID)
	if err != nil || !row.Between() {
		return call.Job{}, err
	}
	if last == nil {
		if last, err = r.again(row); err != nil {
			return r.endBetween(ctx, records, row, &lang.Failure{Class: lang.ClassStart, Message: "the next attempt was not made: the gateway that had the call is gone, and it cannot be made again: " + err.Error(), Hint: "call again"})
		}
	}
	next := *last
	next.attempt, next.started, next.Catalog = row.N()+1, row.Created, r.Current()
	x, asked := r.executor(), row
	for {
		failure := next.ready(ctx, x, &row)
		if failure == nil {
			break
		}
		// A breaker keeps the call from this one: who is next may be asked.
		d := attempts.Next(attempts.PlanOf(&row), attempts.Limits{}, attempts.Ended{Class: failure.Class, Open: next.closed}, time.Now())
		if failure.Class != lang.ClassBreaker || d.Kind != attempts.Fallback {
			return r.endBetween(ctx, records, asked, failure)
		}
		row.Plan = text.MustJSON(d.Plan)
	}
	next.buildRow()
	next.follow(row)
	next.row.Fit = call.Further(next.Catalog, next.Bound.CLI, asked)
	jobdir.RemoveUnstarted(filepath.Join(r.folder(), next.dir()))
	defer queue.LockTurn(ctx, r.Pools, next.Bound.CLI.Name, next.Bound.Session)()
	prepared, failure := x.prepare(&next)
	if failure != nil {
		if _, err := os.Lstat(filepath.Join(r.folder(), next.dir())); err == nil { // another gateway is at it
			return call.Job{}, nil
		}
		return r.endBetween(ctx, records, asked, failure)
	}
	if err := records.StartNext(ctx, next.row); err != nil {
		_ = prepared.discard() // what is left is found by its row
		if exceeded := (*budget.Exceeded)(nil); errors.As(err, &exceeded) {
			why := exceeded.Decision.Failure()
			why.Message = "no other attempt was made: " + exceeded.Error()
			return r.endBetween(ctx, records, asked, why)
		}
		return call.Job{}, err
	}
	job, err := prepared.start(&next)
	if err != nil {
		_ = prepared.discard()
		return next.recordStartFailure(environment.NotStarted(next.Bound.CLI, err)), nil
	}
	return job, nil
}

// ready makes the call the one that the row asks for now, and asks whether it may begin.
func (r *run) ready(ctx context.Context, x Executor, row *store.Job) *lang.Failure {
	if err := r.turn(row); err != nil {
		return &lang.Failure{Class: lang.ClassStart, Message: "who was to be asked instead cannot be: " + err.Error()}
	}
	failure := r.rebind()
	if failure == nil {
		failure = r.rebuild(x)
	}
	if failure == nil {
		r.row.Model = r.Bound.Model
		failure = r.admit(ctx)
	}
	return failure
}

// follow makes the row that of the next attempt of a job.
func (r *run) follow(before store.Job) {
	r.row.ParentID, r.row.DedupKey, r.row.Approval, r.row.Waiting, r.row.Plan, r.row.Asked = before.ParentID, before.DedupKey, before.Approval, before.Waiting, before.Plan, before.Asked
	r.row.Session, r.row.Opens, r.row.Tool, r.row.CorrelationID, r.row.Prompt = before.Session, before.Opens, before.Tool, before.CorrelationID, before.Prompt
	r.row.Attempt, r.row.Begun = r.attempt, time.Now()
}

// rebind makes the call that of the next attempt: a new conversation gets an id that its CLI
// does not know yet.
func (r *run) rebind() *lang.Failure {
	if !r.Bound.CLI.Creates() || r.Bound.Mode != lang.New {
		return nil
	}
	fresh, wrong := r.Bound.Afresh(session.NewID)
	if wrong != nil {
		return &lang.Failure{Class: lang.ClassUsage, Message: wrong.Error()}
	}
	r.Bound = fresh
	return nil
}

// endBetween ends a job between two attempts: as its last attempt ended, with why there is no
// other.
func (r *Runner) endBetween(ctx context.Context, records Store, row store.Job, why *lang.Failure) (call.Job, error) {
	made, err := records.Attempts(ctx, row.ID)
	if err != nil || len(made) == 0 {
		return call.Job{}, errors.Join(err, fmt.Errorf("no attempt of job %s is on record", row.ID))
	}
	last := made[len(made)-1]
	e := &ended{row: row, out: &call.Completion{ID: row.ID, ExitCode: -1, Answer: extract.Answer{Failure: why}}}
	e.row.Outcome = last.Outcome
	e.row.Outcome.Ended, e.row.Outcome.Duration = time.Now(), time.Since(row.Created)
	switch {
	case why.Class == lang.ClassCanceled:
		e.row.Outcome.Ending, e.row.Outcome.ErrorClass, e.row.Outcome.ErrorMessage = store.EndCanceled, why.Class, why.Message
	default:
		e.row.Outcome.ErrorMessage += "; then " + why.Message
	}
	for _, a := range made[:len(made)-1] {
		e.row.Outcome.Use(a.Outcome)
	}
	e.row.Attempt = row.N()
	if err := r.finishAttempt(ctx, records, &e.row, store.Step{Waiting: true, Attempt: store.Attempt{N: row.N()}}); err != nil {
		return call.Job{}, err
	}
	job := r.ends(e)
	job.Row.State, job.Row.Next = store.Done, time.Time{}
	return job, nil
}

// cancelBetween ends a job that is between two attempts; false if it is not.
func (r *Runner) cancelBetween(ctx context.Context, id string) (bool, error) {
	records, err := r.Record()
	if err != nil {
		return false, err
	}
	row, err := records.Job(ctx, store.AnyPrincipal, id)
	if err != nil || !row.Between() {
		return false, err
	}
	_, err = r.endBetween(ctx, records, row, &lang.Failure{Class: lang.ClassCanceled, Message: "the call was canceled between two attempts"})
	if errors.Is(err, store.ErrDone) { // the next attempt was started just now
		return false, nil
	}
	return err == nil, err
}
