package extract

import (
	"testing"
	"time"
)

func TestWaitMs(t *testing.T) {
	now := time.Date(2026, 11, 30, 14, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"Usage limit reached|1796054400":             1796054400*time.Second - time.Duration(now.UnixNano()),
		"retry at 2026-11-30T14:05:00Z":              5 * time.Minute,
		"try again in 2 days 3 hours 5 minutes.":     51*time.Hour + 5*time.Minute,
		"Your quota will reset after 2h3m4s.":        2*time.Hour + 3*time.Minute + 4*time.Second,
		"retry after 1.5s":                           1500 * time.Millisecond,
		"limit reached ∙ resets 5pm (Europe/Berlin)": 2 * time.Hour,
		"resets 3:30pm (UTC)":                        90 * time.Minute,
		"resets 1pm (UTC)":                           23 * time.Hour,
		"resets Dec 2 at 2pm (UTC)":                  48 * time.Hour,
		"try again at Dec 1st, 2026 14:00 UTC":       24 * time.Hour,
		"You are out of quota":                       0,
		"error 429 of 3 models":                      0,
		"99999999999999999999 days":                  0,
	} {
		if got := waitMs(text, int(now.UnixMilli())); got != int(want.Milliseconds()) {
			t.Errorf("%q: %v, want %v", text, time.Duration(got)*time.Millisecond, want)
		}
	}
}
