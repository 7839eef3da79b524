//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
	"time"
)

const (
	// The output is looked at this often while it grows, and more and more seldom
	// when it does not. The slow end is the time that a burst after a silence has
	// before its middle is dropped, and what an idle supervisor costs.
	lookFast = 20 * time.Millisecond
	lookSlow = 250 * time.Millisecond

	// killBudget bounds the wait for a process that was killed. Only one that hangs
	// in the kernel, or that belongs to another user, exceeds it.
	killBudget = 3 * time.Second

	// Where the middle of a file cannot be dropped, each second of grace may cost
	// a gigabyte of disk.
	capGrace = 250 * time.Millisecond

	// The parts of the time in which leftovers of an ended command may end. They
	// add up to what a grandchild may delay a result.
	lingerTime = 50 * time.Millisecond  // by themselves
	termTime   = 100 * time.Millisecond // after SIGTERM
	killTime   = 100 * time.Millisecond // after SIGKILL
)

// monitor returns when the command has ended, or when it cannot be ended. The
// reason is settled by whichever comes first: the end, a cancel, a limit.
func (s *supervisor) monitor() (stopped bool) {
	w := newWatch(s.req.Limits, s.exit.Started)
	timer := time.NewTimer(w.wait(time.Now()))
	defer timer.Stop()

	var killAt time.Time
	halt := func(r Reason, detail string, grace time.Duration) {
		if s.reap(); stopped || s.reaped { // none of them may hit a command that is through
			return
		}
		stopped = true
		s.exit.Reason, s.exit.Detail = r, detail
		killAt = time.Now().Add(grace)
		s.terminate()
	}
	gone := s.gatewayGone()
	for {
		select {
		case sig := <-s.sigs:
			halt(SupervisorSignal, sig.String(), s.req.Limits.Grace)
		case <-s.ctl:
			text, _ := cancelText(s.path)
			halt(Canceled, text, s.req.Limits.Grace)
		case <-gone:
			gone = nil
			halt(Canceled, gatewayEndedDetail, s.req.Limits.Grace)
		case <-s.child:
		case <-timer.C:
		}
		if s.reap(); s.reaped {
			return stopped
		}
		grew, err := s.checkOutput()
		now := time.Now()
		w.saw(grew, now)
		switch {
		case stopped && now.After(killAt.Add(killBudget)):
			s.addError(os.NewSyscallError("kill", syscall.ETIMEDOUT))
			return stopped
		case stopped && !now.Before(killAt):
			s.kill()
		case stopped:
		case err == syscall.EOPNOTSUPP || err == syscall.ENOSYS:
			halt(OutputCap, "", min(capGrace, s.req.Limits.Grace))
		case err != nil:
			s.addError(err)
			halt(OutputLost, "", s.req.Limits.Grace)
		default:
			if r, expired := w.expired(now); expired {
				halt(r, "", s.req.Limits.Grace)
			}
		}
		next := w.wait(now)
		if stopped {
			next = min(lookFast, max(time.Until(killAt), lookFast/4))
		}
		timer.Reset(next)
	}
}

// gatewayGone is closed when a Bound job has to end with its gateway; it is nil for others.
func (s *supervisor) gatewayGone() <-chan struct{} {
	if s.req.EndWithGateway {
		return s.gone
	}
	return nil
}

// finish ends what the command left behind and completes the account. If the
// tree was asked to end before, it is not asked again: some programs take a
// second SIGTERM for impatience and drop what they have.
func (s *supervisor) finish(asked bool) {
	s.exit.Ended = time.Now()
	if asked || !s.req.KeepDescendants {
		done := map[process]bool{}
		if asked {
			s.strike(0, lingerTime+termTime, done)
		} else {
			s.strike(0, lingerTime, done)
			s.strike(syscall.SIGTERM, termTime, done)
		}
		s.exit.Left = s.strike(syscall.SIGKILL, killTime, done)
		s.exit.Swept = len(done)
		finishGroup(s.pid)
	}
	if _, err := s.checkOutput(); err != nil && s.exit.Reason != OutputLost && err != syscall.EOPNOTSUPP && err != syscall.ENOSYS {
		s.addError(err)
	}
	for _, o := range s.out {
		s.exit.DiskFull = s.exit.DiskFull || o.full(s.exit.Code)
	}
	s.exit.Stdout, s.exit.Stderr = capOutput(s.out[0].size, s.out[0].max), capOutput(s.out[1].size, s.out[1].max)
}

// reap reaps all children that ended, ours and those adopted, and reports whether
// any is left. Adopted ones are reaped at once, because a script which waits for
// its daemon with kill -0 takes an unreaped one for alive.
func (s *supervisor) reap() (some bool) {
	for {
		var ws syscall.WaitStatus
		pid, err := retry(func() (int, error) { return syscall.Wait4(-1, &ws, syscall.WNOHANG, nil) })
		switch {
		case err != nil:
			return false
		case pid == 0:
			return true
		case pid == s.pid:
			s.reaped = true
			s.exit.Code, s.exit.Signal = ws.ExitStatus(), 0
			if ws.Signaled() {
				s.exit.Code, s.exit.Signal = -1, int(ws.Signal())
			}
		}
	}
}

// checkOutput reports whether any output grew, and keeps the cap.
func (s *supervisor) checkOutput() (grew bool, err error) {
	for _, o := range s.out {
		g, e := o.look()
		if e == nil {
			e = o.trim()
		}
		grew = grew || g
		if err == nil {
			err = e
		}
	}
	return grew, err
}

// watch holds the limits against what was seen. It has no clock of its own.
type watch struct {
	lim           Limits
	started, grew time.Time
	pause         time.Duration
}

func newWatch(l Limits, started time.Time) *watch {
	return &watch{lim: l, started: started, grew: started, pause: lookFast}
}

func (w *watch) saw(grew bool, now time.Time) {
	if grew {
		w.grew, w.pause = now, lookFast
	} else {
		w.pause = min(2*w.pause, lookSlow)
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
// timer of a supervisor.
func (w *watch) wait(now time.Time) time.Duration {
	d := w.pause
	if w.lim.Wall > 0 {
		d = min(d, w.lim.Wall-now.Sub(w.started))
	}
	if w.lim.Idle > 0 {
		d = min(d, w.lim.Idle-now.Sub(w.grew))
	}
	return max(d, 0)
}

// spool is an output file. The command writes into it; nobody stands between. So
// the cap is kept by looking at its size, and by giving its middle back to the
// file system while its head and tail stay.
type spool struct {
	fd      int
	max     int64
	size    int64
	punched int64 // end of the hole
}

// block is the alignment of holes. A hole that does not begin and end with a
// block frees nothing at its edges and costs a write there.
const block = 4096

// look reports whether the output changed since the last look.
func (o *spool) look() (grew bool, err error) {
	var st syscall.Stat_t
	if err := syscall.Fstat(o.fd, &st); err != nil {
		return false, err
	}
	if st.Size < o.size { // truncated by the command: the hole is gone
		o.punched = 0
	}
	grew = st.Size != o.size
	o.size = st.Size
	return grew, nil
}

// trim makes the hole as large as the cap allows.
func (o *spool) trim() error {
	c := capOutput(o.size, o.max)
	if !c.Truncated {
		return nil
	}
	from := max(o.punched, (c.Head+block-1)/block*block)
	to := (c.Size - c.Tail) / block * block
	if to <= from {
		return nil
	}
	if err := punch(o.fd, from, to); err != nil {
		return err
	}
	o.punched = to
	return nil
}
