package limits

import (
	"errors"
	"testing"
	"time"
)

func TestMonitorTimes(t *testing.T) {
	const ms, slow = time.Millisecond, 160 * time.Millisecond
	t0 := time.Now()
	for _, tc := range []struct {
		name  string
		lim   Limits
		grew  []time.Duration // when growth was seen
		quiet []time.Duration // when none was
		at    time.Duration
		wait  time.Duration
		want  Reason
	}{
		{"no limits, at first", Limits{}, nil, nil, 0, PollFirst, ""},
		{"no limits, for ever", Limits{}, nil, []time.Duration{1, 2, 3, 4, 5, 6}, 1000 * time.Hour, slow, ""},
		{"growth makes it look sooner", Limits{}, []time.Duration{9}, []time.Duration{1, 2, 3, 4, 5}, 9, PollFirst, ""},
		{"wall is near", Limits{Wall: 100 * ms}, nil, nil, 95 * ms, 5 * ms, ""},
		{"wall is reached", Limits{Wall: 100 * ms}, nil, nil, 100 * ms, 0, WallTimeout},
		{"wall is past", Limits{Wall: 100 * ms}, nil, nil, 200 * ms, 0, WallTimeout},
		{"idle is near", Limits{Idle: 100 * ms}, nil, nil, 99 * ms, 1 * ms, ""},
		{"idle is reached", Limits{Idle: 100 * ms}, nil, nil, 100 * ms, 0, IdleTimeout},
		{"idle counts from growth", Limits{Idle: 100 * ms}, []time.Duration{50 * ms}, nil, 149 * ms, 1 * ms, ""},
		{"idle after growth", Limits{Idle: 100 * ms}, []time.Duration{50 * ms}, nil, 150 * ms, 0, IdleTimeout},
		{"silence is not growth", Limits{Idle: 100 * ms}, nil, []time.Duration{50 * ms}, 100 * ms, 0, IdleTimeout},
		{"growth does not move wall", Limits{Wall: 100 * ms}, []time.Duration{99 * ms}, nil, 100 * ms, 0, WallTimeout},
		{"both: wall is named", Limits{Wall: 100 * ms, Idle: 100 * ms}, nil, nil, 100 * ms, 0, WallTimeout},
	} {
		w := NewMonitor(nil, tc.lim, t0, slow)
		for _, d := range tc.quiet {
			w.observe(false, t0.Add(d))
		}
		for _, d := range tc.grew {
			w.observe(true, t0.Add(d))
		}
		now := t0.Add(tc.at)
		got, expired := w.expired(now)
		if got != tc.want || expired != (tc.want != "") || w.Next(now) != tc.wait {
			t.Errorf("%s: wait %v, reason %q (%v); want %v, %q", tc.name, w.Next(now), got, expired, tc.wait, tc.want)
		}
	}
}

// command is one whose state a test sets. It records what it is asked.
type command struct {
	ended, grew bool
	err         error
	asked       string
}

func (c *command) Ended() bool                { return c.ended }
func (c *command) CheckOutput() (bool, error) { return c.grew, c.err }
func (c *command) Terminate()                 { c.asked += "T" }
func (c *command) Kill()                      { c.asked += "K" }

func TestMonitorStops(t *testing.T) {
	lost := errors.New("lost")
	const grace, late = time.Second, time.Hour
	for _, tc := range []struct {
		name   string
		c      command
		cancel bool
		checks []time.Duration
		asked  string
		want   Reason
		hangs  bool
	}{
		{"nothing is due", command{}, false, []time.Duration{0, grace}, "", Exited, false},
		{"a limit", command{}, false, []time.Duration{late}, "T", WallTimeout, false},
		{"a cancel, and the first reason counts", command{}, true, []time.Duration{0, grace}, "TK", Canceled, false},
		{"within the grace time", command{}, true, []time.Duration{0, grace - 1}, "T", Canceled, false},
		{"after the grace time", command{}, true, []time.Duration{grace, grace + KillBudget}, "TKK", Canceled, false},
		{"after the kill budget", command{}, true, []time.Duration{grace, grace + KillBudget + 1}, "TK", Canceled, true},
		{"the command has ended", command{ended: true}, true, []time.Duration{late}, "", Exited, false},
		{"the output is lost", command{err: lost}, false, []time.Duration{0, grace - 1}, "T", OutputLost, false},
		{"no holes", command{err: errors.ErrUnsupported}, false, []time.Duration{0, capGrace}, "TK", OutputCap, false},
	} {
		t0 := time.Now()
		m := NewMonitor(&tc.c, Limits{Wall: late, Grace: grace}, t0, time.Second)
		if tc.cancel {
			m.Stop(Canceled, t0)
			m.Stop("another", t0)
		}
		hangs := false
		for _, d := range tc.checks {
			hangs = m.Check(t0.Add(d))
		}
		if tc.c.asked != tc.asked || m.Reason != tc.want || m.Stopped != (tc.asked != "") || hangs != tc.hangs || (m.Err == lost) != (tc.want == OutputLost) {
			t.Errorf("%s: asked %q, reason %q, hangs %v, %v", tc.name, tc.c.asked, m.Reason, hangs, m.Err)
		}
	}
}
