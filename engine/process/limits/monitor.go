package limits

import (
	"errors"
	"time"
)

const (
	// PollFirst is how often the output is checked while it grows. When it does not, it
	// is checked more and more seldom.
	PollFirst = 20 * time.Millisecond

	// KillBudget bounds the wait for a process that was killed. Only one that hangs in the
	// kernel, or that belongs to another user, exceeds it.
	KillBudget = 3 * time.Second

	// Where the middle of a file cannot be dropped, each second of grace may cost
	// a gigabyte of disk.
	capGrace = 250 * time.Millisecond
)

// Command is what a Monitor asks a running command.
type Command interface {
	// Ended reports whether the leader has ended.
	Ended() bool
	// CheckOutput reports whether any output grew, and keeps the cap.
	CheckOutput() (grew bool, err error)
	// Terminate asks the command and all its descendants to end.
	Terminate()
	// Kill kills them.
	Kill()
}

// Monitor ends a command at its limits or when Stop is called: it asks the command to end,
// kills it after the grace time, and gives up after the kill budget. It has neither a goroutine nor
// a clock: its user waits for what happens, and at most for as long as Next says.
type Monitor struct {
	// Reason is Exited until the monitor stops the command.
	Reason Reason
	// Stopped reports that the monitor asked the command to end.
	Stopped bool
	// Err is the error of the output if the reason is OutputLost.
	Err error

	command       Command
	limits        Limits
	started, grew time.Time
	pause, slow   time.Duration
	killAt        time.Time
}

// NewMonitor returns the monitor of a command that started at a time. Slow is the longest
// pause between two checks of the output: the time that a burst after a silence has before
// its middle is dropped, and what it costs to watch a command that prints nothing.
func NewMonitor(c Command, l Limits, started time.Time, slow time.Duration) *Monitor {
	return &Monitor{Reason: Exited, command: c, limits: l, started: started, grew: started, pause: PollFirst, slow: slow}
}

// Stop ends the command for a reason and reports whether it did: the first reason counts,
// and none counts for a command that has ended.
func (m *Monitor) Stop(r Reason, now time.Time) bool { return m.stop(r, m.limits.Grace, now) }

func (m *Monitor) stop(r Reason, grace time.Duration, now time.Time) bool {
	if m.Stopped || m.command.Ended() {
		return false
	}
	m.Stopped, m.Reason, m.killAt = true, r, now.Add(grace)
	m.command.Terminate()
	return true
}

// Check looks at the output and the time and does what is due. It reports whether the
// command does not end although it was killed.
func (m *Monitor) Check(now time.Time) (hangs bool) {
	grew, err := m.command.CheckOutput()
	m.observe(grew, now)
	switch {
	case m.command.Ended():
	case m.Stopped && now.After(m.killAt.Add(KillBudget)):
		return true
	case m.Stopped && !now.Before(m.killAt):
		m.command.Kill()
	case m.Stopped:
	case errors.Is(err, errors.ErrUnsupported):
		m.stop(OutputCap, min(capGrace, m.limits.Grace), now)
	case err != nil:
		if m.Stop(OutputLost, now) {
			m.Err = err
		}
	default:
		if r, expired := m.expired(now); expired {
			m.Stop(r, now)
		}
	}
	return false
}

func (m *Monitor) observe(grew bool, now time.Time) {
	if grew {
		m.grew, m.pause = now, PollFirst
	} else {
		m.pause = min(2*m.pause, m.slow)
	}
}

func (m *Monitor) expired(now time.Time) (Reason, bool) {
	switch {
	case m.limits.Wall > 0 && now.Sub(m.started) >= m.limits.Wall:
		return WallTimeout, true
	case m.limits.Idle > 0 && now.Sub(m.grew) >= m.limits.Idle:
		return IdleTimeout, true
	}
	return "", false
}

// Next returns the time until the next check is due.
func (m *Monitor) Next(now time.Time) time.Duration {
	if m.Stopped {
		return min(PollFirst, max(m.killAt.Sub(now), PollFirst/4))
	}
	d := m.pause
	if m.limits.Wall > 0 {
		d = min(d, m.limits.Wall-now.Sub(m.started))
	}
	if m.limits.Idle > 0 {
		d = min(d, m.limits.Idle-now.Sub(m.grew))
	}
	return max(d, 0)
}
