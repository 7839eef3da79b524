package process

import (
	"testing"
	"time"
)

func TestWatch(t *testing.T) {
	const ms = time.Millisecond
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
		{"no limits, at first", Limits{}, nil, nil, 0, pollFast, ""},
		{"no limits, for ever", Limits{}, nil, []time.Duration{1, 2, 3, 4, 5, 6}, 1000 * time.Hour, pollSlow, ""},
		{"growth makes it look sooner", Limits{}, []time.Duration{9}, []time.Duration{1, 2, 3, 4, 5}, 9, pollFast, ""},
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
		w := newWatch(tc.lim, t0)
		for _, d := range tc.quiet {
			w.saw(false, t0.Add(d))
		}
		for _, d := range tc.grew {
			w.saw(true, t0.Add(d))
		}
		now := t0.Add(tc.at)
		got, expired := w.expired(now)
		if got != tc.want || expired != (tc.want != "") || w.wait(now) != tc.wait {
			t.Errorf("%s: wait %v, reason %q (%v); want %v, %q", tc.name, w.wait(now), got, expired, tc.wait, tc.want)
		}
	}
}
