package attempts

import (
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

var breaking = BreakerLimitsOf(lang.BreakerSpec{}, lang.BreakerSpec{})

func try(job string, begun time.Time) Try {
	return Try{Job: job, Begun: begun, Class: "transient", Message: "busy"}
}

// opened is a breaker that opened at a time.
func opened(at time.Time) store.Breaker {
	b := store.Breaker{Key: "acme", State: store.BreakerClosed}
	for range breaking.Failures {
		b = Failed(b, breaking, try("a", at), at)
	}
	return b
}

func TestBreakerOpensAndCloses(t *testing.T) {
	b := store.Breaker{Key: "acme", State: store.BreakerClosed}
	for n := 1; n < breaking.Failures; n++ {
		if b = Failed(b, breaking, try("a", now), now); b.State != store.BreakerClosed || b.Failures != n {
			t.Fatalf("after %d failures: %+v", n, b)
		}
	}
	if ok := Succeeded(b, try("b", now), now); ok.Failures != 0 {
		t.Errorf("a success between: %+v", ok)
	}
	b = Failed(b, breaking, try("a", now), now)
	if b.State != store.BreakerOpen || !b.Until.Equal(now.Add(time.Minute)) || b.Class != "transient" || b.Message != "busy" {
		t.Fatalf("after the fifth: %+v", b)
	}
	if _, wait := Admit(b, breaking, "c", false, now.Add(10*time.Second)); wait != 50*time.Second {
		t.Errorf("an open one lets in after %v", wait)
	}
	later := b.Until
	trial, wait := Admit(b, breaking, "c", false, later)
	if wait != 0 || trial.State != store.BreakerHalfOpen || trial.Trial != "c" {
		t.Fatalf("the trial: %+v, %v", trial, wait)
	}
	if _, wait := Admit(trial, breaking, "d", true, later); wait <= 0 {
		t.Error("a second trial was let in")
	}
	if same, wait := Admit(trial, breaking, "c", true, later); wait != 0 || same != trial {
		t.Errorf("the trial is kept out of its own breaker: %+v, %v", same, wait)
	}
	if over, wait := Admit(trial, breaking, "d", false, later); wait != 0 || over.Trial != "d" {
		t.Errorf("the trial is gone, and no other is let in: %+v, %v", over, wait)
	}
	if closed := Succeeded(trial, try("c", later), later); closed.State != store.BreakerClosed || closed.Failures != 0 || closed.Trial != "" {
		t.Errorf("after the trial: %+v", closed)
	}
	for name, again := range map[string]store.Breaker{"failed": Failed(trial, breaking, try("c", later), later), "lost": Lost(trial, breaking, Try{Job: "c"}, later)} {
		if again.State != store.BreakerOpen || !again.Until.Equal(later.Add(time.Minute)) {
			t.Errorf("the trial %s: %+v", name, again)
		}
	}
	if again := Vanished(trial, try("c", later), later); again.State != store.BreakerOpen || again.Until.After(later) {
		t.Errorf("the trial was canceled: %+v", again)
	}
}

func TestWhatBreakersDoNotHear(t *testing.T) {
	open, before, after := opened(now), now.Add(-time.Second), now.Add(time.Hour)
	trial, _ := Admit(open, breaking, "c", false, after)
	closed := Succeeded(trial, try("c", after), after)
	for name, c := range map[string]struct{ was, is store.Breaker }{
		"a failure of before its opening":            {open, Failed(open, breaking, try("x", before), after)},
		"a success of before its opening":            {open, Succeeded(open, try("x", before), after)},
		"a failure beside the trial":                 {trial, Failed(trial, breaking, try("x", before), after)},
		"a success beside the trial":                 {trial, Succeeded(trial, try("x", before), after)},
		"a failure of before it opened, when closed": {closed, Failed(closed, breaking, try("x", before), after)},
		"another that was lost":                      {trial, Lost(trial, breaking, Try{Job: "x"}, after)},
		"another that was canceled":                  {trial, Vanished(trial, Try{Job: "x"}, after)},
		"a success where nothing failed":             {closed, Succeeded(closed, try("x", after), after.Add(1))},
	} {
		if c.was != c.is {
			t.Errorf("%s:\n got %+v\nwant %+v", name, c.is, c.was)
		}
	}
	never := BreakerLimitsOf(lang.BreakerSpec{Failures: ptr(0)}, lang.BreakerSpec{})
	if b := Failed(store.Breaker{State: store.BreakerClosed, Failures: 99}, never, try("x", now), now); b.State != store.BreakerClosed {
		t.Errorf("one that never opens: %+v", b)
	}
	if _, wait := Admit(open, never, "x", false, now); wait != 0 {
		t.Error("one that never opens keeps a call out")
	}
	if l := BreakerLimitsOf(lang.BreakerSpec{Failures: ptr(2)}, lang.BreakerSpec{OpenMs: ptr(int64(500))}); l != (BreakerLimits{2, time.Second / 2}) {
		t.Errorf("%+v", l)
	}
}
