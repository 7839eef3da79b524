package process

import (
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	// The output is looked at this often while it grows, and more and more seldom
	// when it does not. The slow end is the time that a burst after a silence has
	// before its middle is dropped: at 1 GB/s it puts 160 MB on the disk meanwhile.
	pollFast = 20 * time.Millisecond
	pollSlow = 160 * time.Millisecond

	// killBudget bounds the wait for a process that was killed. Only one that hangs
	// in the kernel, or that belongs to another user, exceeds it.
	killBudget = 3 * time.Second

	// Where the middle of a file cannot be dropped, each second of grace may cost
	// a gigabyte of disk.
	capGrace = 250 * time.Millisecond
)

// status is how the system says that a process ended.
type status struct {
	code   int
	signal string
	number int // of the signal
	err    error
}

func (p *Process) run() {
	ended := make(chan status, 1)
	go func() { ended <- p.child.wait() }()

	st, reason, stopped := p.supervise(ended)
	p.exit.Ended = time.Now()
	p.exit.Reason = reason
	p.exit.Code, p.exit.Signal, p.exit.SignalNumber = st.code, st.signal, st.number
	p.note(st.err)

	p.exit.Swept, p.exit.Left = p.child.sweep(stopped)
	if _, err := p.look(); err != nil && reason != OutputLost && !errors.Is(err, errors.ErrUnsupported) {
		p.note(err)
	}
	for _, s := range p.out {
		if s.full(st) {
			p.note(fmt.Errorf("%w: the output in %s is incomplete; free some space and try again", ErrNoSpace, s.f.Name()))
			break
		}
	}
	p.exit.Stdout, p.exit.Stderr = p.out[0].capture(), p.out[1].capture()

	if len(p.exit.Left) == 0 {
		p.child.reap()
		close(p.done)
		return
	}
	// The result does not wait for what cannot be ended, but what can be ended a
	// little later still is. Until then the unreaped leader keeps its process id,
	// and with it the names of its group and session, from being given away.
	close(p.done)
	p.child.finish(killBudget)
	p.child.reap()
}

func (p *Process) note(err error) { p.exit.Err = errors.Join(p.exit.Err, err) }

// supervise returns when the leader has ended, or when it cannot be ended. The
// reason is settled by whichever comes first: the end, a Stop, a limit.
func (p *Process) supervise(ended <-chan status) (st status, reason Reason, stopped bool) {
	w := newWatch(p.lim, p.exit.Started)
	timer := time.NewTimer(w.wait(time.Now()))
	defer timer.Stop()

	var killAt time.Time
	halt := func(r Reason, grace time.Duration) {
		reason, stopped = r, true
		killAt = time.Now().Add(grace)
		p.child.terminate()
	}
	reason = Exited
	for {
		select {
		case st := <-ended:
			return st, reason, stopped
		case r := <-p.stop:
			if !stopped && !p.child.ended() {
				halt(r, p.lim.Grace)
			}
		case <-timer.C:
		}
		select { // both may have been ready
		case st := <-ended:
			return st, reason, stopped
		default:
		}
		grew, err := p.look()
		now := time.Now()
		w.saw(grew, now)
		switch {
		case p.child.ended(): // a limit must not hit a command that is through
		case stopped && now.After(killAt.Add(killBudget)):
			return status{code: -1, err: fmt.Errorf("process %d does not end although it was killed", p.child.pid)}, reason, stopped
		case stopped && !now.Before(killAt):
			p.child.kill()
		case stopped:
		case errors.Is(err, errors.ErrUnsupported):
			halt(OutputCap, min(capGrace, p.lim.Grace))
		case err != nil:
			p.note(err)
			halt(OutputLost, p.lim.Grace)
		default:
			if r, expired := w.expired(now); expired {
				halt(r, p.lim.Grace)
			}
		}
		next := w.wait(now)
		if stopped {
			next = min(pollFast, max(time.Until(killAt), pollFast/4))
		}
		timer.Reset(next)
	}
}

// look reports whether any output grew, and keeps the cap.
func (p *Process) look() (grew bool, err error) {
	for _, s := range p.out {
		g, e := s.look()
		if e == nil {
			e = s.trim()
		}
		if errors.Is(e, os.ErrClosed) {
			e = fmt.Errorf("%s was closed while its command ran: %w", s.f.Name(), e)
		}
		grew, err = grew || g, errors.Join(err, e)
	}
	return grew, err
}

// watch holds the limits against what was seen. It has no clock of its own.
type watch struct {
	lim           Limits
	started, grew time.Time
	poll          time.Duration
}

func newWatch(l Limits, started time.Time) *watch {
	return &watch{lim: l, started: started, grew: started, poll: pollFast}
}

func (w *watch) saw(grew bool, now time.Time) {
	if grew {
		w.grew, w.poll = now, pollFast
	} else {
		w.poll = min(2*w.poll, pollSlow)
	}
}

func (w *watch) expired(now time.Time) (Reason, bool) {
	switch {
	case w.lim.Wall > 0 && now.Sub(w.started) >= w.lim.Wall:
		return WallTimeout, true
	case w.lim.Idle > 0 && now.Sub(w.grew) >= w.lim.Idle:
		return IdleTimeout, true
	}
	return "", false
}

// wait returns the time until there is something to look at. It is the only
// timer of a process.
func (w *watch) wait(now time.Time) time.Duration {
	d := w.poll
	if w.lim.Wall > 0 {
		d = min(d, w.lim.Wall-now.Sub(w.started))
	}
	if w.lim.Idle > 0 {
		d = min(d, w.lim.Idle-now.Sub(w.grew))
	}
	return max(d, 0)
}
