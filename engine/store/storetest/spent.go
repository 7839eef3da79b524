package storetest

import (
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

func spent(t *testing.T, s Store) {
	turn := func(mode, native string, input int64, cost float64, scope string) string {
		t.Helper()
		id := begin(t, s, store.Job{CLI: "acme", Mode: mode})
		finish(t, s, id, store.Outcome{Ending: store.EndOK, NativeSessionID: native, InputTokens: &input, CostUSD: &cost, UsageScope: scope, CostScope: scope})
		return id
	}
	want := func(native, before string, want store.Spent) {
		t.Helper()
		if got, err := s.Spent(ctx, store.Local, "acme", native, before); err != nil || got != want {
			t.Errorf("%s: %+v %v, want %+v", native, got, err, want)
		}
	}
	first := turn("new", "one", 100, 1, "")
	turn("resume", "one", 30, 0.5, "")
	turn("resume", "two", 500, 5, "") // it began elsewhere
	live := begin(t, s, store.Job{CLI: "acme", Mode: "resume"})
	want("one", first, store.Spent{})
	want("one", live, store.Spent{Usage: true, Cost: true, InputTokens: 130, CostUSD: 1.5})
	want("two", live, store.Spent{InputTokens: 500, CostUSD: 5})
	turn("resume", "two", 700, 7, store.ScopeSession)
	turn("resume", "two", 10, 0.25, "")
	want("two", store.NewID(), store.Spent{Usage: true, Cost: true, InputTokens: 710, CostUSD: 7.25})
	for _, other := range [][2]string{{"other", "acme"}, {store.Local, "zeta"}} {
		if got, err := s.Spent(ctx, other[0], other[1], "one", live); err != nil || got != (store.Spent{}) {
			t.Errorf("of %s: %+v %v", other, got, err)
		}
	}
	if _, err := s.Spent(ctx, "", "acme", "one", live); err == nil {
		t.Error("no principal is no error")
	}
}
