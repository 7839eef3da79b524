package store

import (
	"reflect"
	"testing"
)

func TestUsedModels(t *testing.T) {
	s := newStore(t)
	for _, call := range []struct {
		cli, asked, answered string
		ending               Ending
	}{
		{"acme", "old", "", EndOK},
		{"acme", "big", "", EndOK},
		{"zeta", "big", "big-2", EndOK},
		{"acme", "", "", EndOK},
		{"acme", "wrong", "", EndError},
		{"acme", "slow", "", EndTimeout},
		{"acme", "old", "", EndOK},
		{"acme", "running", "", ""},
	} {
		id := mustBegin(t, s, Job{CLI: call.cli, Model: call.asked})
		if call.ending == "" {
			continue
		}
		if err := s.Finish(ctx, id, Outcome{Ending: call.ending, Model: call.answered}); err != nil {
			t.Fatal(err)
		}
	}
	for rows, want := range map[int][]UsedModel{
		100: {{"acme", "old"}, {"zeta", "big-2"}, {"acme", "big"}},
		6:   {{"acme", "old"}, {"zeta", "big-2"}},
		1:   nil,
	} {
		if got, err := s.UsedModels(ctx, rows); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("of %d rows: %v %v, want %v", rows, got, err, want)
		}
	}
}
