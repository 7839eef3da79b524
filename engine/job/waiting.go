package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/job/storedcall"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// A job about which a person has to decide has a row and nothing else: no directory, no
// process, no place among those that run. The gateway that accepted its call holds it, and
// starts it once it is approved, with the environment that it was asked for in. If that
// gateway is gone, whoever answers starts it, or one that looks later, out of the row and of
// what was stored beside it.

// lookEvery is how often a gateway looks whether a job that waits was decided elsewhere.
const lookEvery = 200 * time.Millisecond

// holderDelay is how long an approved job is left to the gateway that holds its call.
const holderDelay = 3 * time.Second

// Decisions records decisions about calls.
type Decisions interface {
	// RecordDecision records one, once. Nothing that it lets run may start unless it returned nil.
	RecordDecision(ctx context.Context, row store.Approval) error
}

// NotWaitingError says that nobody can decide about a job any more.
type NotWaitingError struct{ Job call.Job }

func (e *NotWaitingError) Error() string {
	switch row := e.Job.Row; {
	case e.Job.State == call.Waiting:
		return fmt.Sprintf("job %s was approved already, and is about to start", row.ID)
	case e.Job.State.Ended():
		return fmt.Sprintf("job %s does not wait for a decision: it has ended (%s)", row.ID, e.Job.State)
	}
	return fmt.Sprintf("job %s does not wait for a decision: it is %s", e.Job.Row.ID, e.Job.State)
}

// heldJob is a job that waits, of a call that this gateway has.
type heldJob struct {
	run    *run
	launch func() (call.Job, error) // once; later calls return what became of it
	done   chan struct{}            // closed when it waits no more, or this gateway does not look any more
}

// beginWaiting makes the row of a call about which a person decides, or joins one that waits.
func (r *run) beginWaiting(ctx context.Context) (call.Job, *lang.Failure) {
	r.row.Waiting = store.Waiting{Until: r.started.Add(r.Asked.For), Holder: r.owner(), Question: r.secrets.Redact(r.Asked.Recorded)}
	if err := r.storeCall(); err != nil {
		return call.Job{}, environment.StartFailure(fmt.Errorf("the call cannot be kept until a person has decided: %w", err))
	}
	if joined, failure := r.accept(ctx); joined != nil || failure != nil {
		os.Remove(storedcall.Path(r.folder(), r.id))
		return r.recordJoin(ctx, joined), failure
	}
	r.hold()
	return call.Job{Row: r.row, State: call.Waiting, Durable: r.durable(r.row)}, nil
}

// storeCall keeps the call for other gateways, if jobs outlive this one.
func (r *run) storeCall() error {
	if !r.executor().durable() {
		return nil
	}
	c := storedcall.Of(r.Bound, r.Args, r.Roots, r.depth)
	c.Command = storedcall.Digest(r.command)
	return storedcall.Save(r.folder(), r.id, c)
}

// hold looks after a job that waits until it waits no more.
func (r *run) hold() {
	h := &heldJob{run: r, done: make(chan struct{})}
	h.launch = sync.OnceValues(func() (call.Job, error) { return r.launch(context.Background(), nil) })
	r.mu.Lock()
	if r.held == nil {
		r.held = map[string]*heldJob{}
	}
	r.held[r.id] = h
	r.mu.Unlock()
	closing := r.closing()
	r.running.Add(1)
	go func() {
		defer r.running.Done()
		defer close(h.done)
		defer func() {
			r.mu.Lock()
			delete(r.held, r.id)
			r.mu.Unlock()
		}()
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-closing:
				return
			}
			row, err := r.records.Job(context.Background(), store.AnyPrincipal, r.id)
			switch {
			case err != nil: // as with a full disk; the next look may succeed
			case !row.Waits():
				return
			case row.Waiting.Released:
				_, _ = h.launch() // what went wrong is in the row
				return
			default:
				_, _ = r.waiting(context.Background(), r.records, row)
			}
		}
	}()
}

func (r *Runner) heldJob(id string) *heldJob {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held[id]
}

// waiting is the status of a job that waits. Its time may have come.
func (r *Runner) waiting(ctx context.Context, records Store, row store.Job) (call.Job, error) {
	if !row.Waiting.Released && !row.Open(time.Now()) {
		job, err := r.endWaiting(ctx, records, row, call.TimedOut)
		if other := (*NotWaitingError)(nil); errors.As(err, &other) {
			return other.Job, nil
		}
		return job, err
	}
	return call.Job{Row: row, State: call.Waiting, Durable: r.durable(row)}, nil
}

// endWaiting ends a job that waits, by what came back of the question or because nothing did.
// The error is a *NotWaitingError, with the job as it stands, if others were first.
func (r *Runner) endWaiting(ctx context.Context, records Store, row store.Job, reply call.Reply) (call.Job, error) {
	row, err := records.Job(ctx, row.Principal, row.ID) // of a list, the texts are cut
	if err != nil {
		return call.Job{}, err
	}
	a := call.Answered(row.Approval, reply)
	end := store.Outcome{Ending: store.EndError, Detail: a.Answer, ErrorClass: lang.ClassDenied, ErrorMessage: a.Denial(), Ended: time.Now(), Duration: max(0, time.Since(row.Created))}
	if reply == call.Abandoned {
		end.Ending, end.ErrorClass = store.EndCanceled, lang.ClassCanceled
	}
	// Nothing has begun, whatever ended it.
	never := row
	never.Outcome = store.Outcome{Ending: store.EndStartFailed, ErrorClass: end.ErrorClass}
	cli, _ := r.Current().CLI(row.CLI)
	turn := session.Ended(cli, never)
	if turn != nil {
		turn.Kept = nil // nor does a session keep what was denied
	}
	err = records.EndWaiting(ctx, row.ID, a.Record(), reply == call.Abandoned, end, turn)
	if errors.Is(err, store.ErrNotWaiting) {
		job, err := r.Status(ctx, row.Principal, row.ID)
		if err == nil {
			err = &NotWaitingError{job}
		}
		return job, err
	}
	if err != nil {
		return call.Job{}, err
	}
	os.Remove(storedcall.Path(r.folder(), row.ID))
	row.State, row.Outcome, row.Approval = store.Done, end, a.Record()
	job := call.Job{Row: row, State: call.StateOf(end.Ending), Durable: r.durable(row)}
	if err := r.recordEnd(ctx, row, a); err != nil { // nothing was run, and the row has it
		job.Notes = append(job.Notes, "the decision could not be recorded: "+err.Error())
	}
	return job, nil
}

// recordEnd records a decision by which nothing was run, and the call where calls are recorded
// apart from jobs.
func (r *Runner) recordEnd(ctx context.Context, row store.Job, a *call.Approval) (err error) {
	r.tellEnded(row)
	if r.Decisions != nil {
		err = r.Decisions.RecordDecision(ctx, a.Row(row))
	}
	return errors.Join(err, r.logCall(ctx, row))
}

// Answerable implements call.Jobs: jobs in memory are seen by this gateway alone.
func (r *Runner) Answerable() bool { return !r.Volatile }

// Answer decides about a job of a principal that waits for a person: it is started, or ends as
// denied. The error is a *NotWaitingError if somebody else was first, or nobody in time.
func (r *Runner) Answer(ctx context.Context, principal, id string, reply call.Reply) (call.Job, error) {
	ctx = context.WithoutCancel(ctx)
	job, err := r.Status(ctx, principal, id)
	if err != nil {
		return job, err
	}
	records, err := r.Record()
	if err != nil {
		return job, err
	}
	if !job.Row.Open(time.Now()) {
		return job, &NotWaitingError{job}
	}
	if reply != call.ChoseApprove {
		return r.endWaiting(ctx, records, job.Row, reply)
	}
	err = records.Release(ctx, id, call.Answered(job.Row.Approval, reply).Record(), time.Now())
	if errors.Is(err, store.ErrNotWaiting) {
		if job, err = r.Status(ctx, principal, id); err == nil {
			err = &NotWaitingError{job}
		}
	}
	if err != nil {
		return job, err
	}
	if h := r.heldJob(id); h != nil {
		return h.launch()
	}
	if !r.holderGone(job.Row) {
		if job, err = r.Decided(ctx, job, holderDelay); err != nil || job.State != call.Waiting {
			return job, err
		}
	}
	return r.restart(ctx, records, id)
}

// Decided waits until a job does not wait for a person or for its next attempt any more, for d
// at most if that is not 0. The end of ctx ends the wait.
func (r *Runner) Decided(ctx context.Context, job call.Job, d time.Duration) (call.Job, error) {
	var late <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		late = timer.C
	}
	var done <-chan struct{}
	if h := r.heldJob(job.Row.ID); h != nil {
		done = h.done
	} else if p := r.pendingJob(job.Row.ID); p != nil {
		done = p.done
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		now, err := r.Status(context.WithoutCancel(ctx), job.Row.Principal, job.Row.ID)
		if err != nil {
			return job, err
		}
		now.Joined, now.Notes = job.Joined, job.Notes
		if job = now; !job.State.Idle() {
			return job, nil
		}
		select {
		case <-tick.C:
		case <-done:
			done = nil
		case <-late:
			return job, nil
		case <-ctx.Done():
			return job, nil
		}
	}
}

// Enclosing is the job inside which this process runs, "" if none: it is found among the
// ancestors, so that a program of a job cannot hide it.
func (r *Runner) Enclosing(ctx context.Context) (string, error) {
	if !r.nestedCall() {
		return "", nil
	}
	records, err := r.Record()
	if err != nil {
		return "", err
	}
	if outer := r.outer(ctx, records); len(outer) > 0 {
		return outer[0].ID, nil
	}
	return "", nil
}
