package proctree

import (
	"maps"
	"slices"
	"testing"
)

func at(pid, parent, session int, start uint64) Process {
	return Process{ID: ID{pid, start}, Parent: parent, Group: session, Session: session}
}

func pids(members []Process) []int {
	set := map[int]bool{}
	for _, m := range members {
		set[m.PID] = true
	}
	if len(set) != len(members) {
		return []int{-1} // somebody is there twice
	}
	return slices.Sorted(maps.Keys(set))
}

func TestOfJob(t *testing.T) {
	for _, tc := range []struct {
		name    string
		all     []Process
		cookies map[int]string
		want    []int
	}{
		{name: "nobody"},
		{name: "a tree, children first", all: []Process{at(30, 20, 20, 3), at(20, 10, 20, 2)}, want: []int{20, 30}},
		{name: "other sessions, other and no cookies", all: []Process{at(20, 10, 20, 2), at(21, 10, 21, 2), at(22, 10, 22, 2)}, cookies: map[int]string{20: "mine", 21: "nested"}, want: []int{20, 22}},
		{name: "below a nested job", all: []Process{at(20, 10, 20, 2), at(21, 20, 21, 3), at(22, 21, 22, 4)}, cookies: map[int]string{21: "nested", 22: "mine"}, want: []int{20}},
		{name: "somebody else's", all: []Process{at(20, 9, 20, 2)}},
		{name: "a loop", all: []Process{at(20, 10, 20, 2), at(10, 20, 10, 1)}, want: []int{20}},
		{name: "process 1", all: []Process{at(1, 10, 1, 0), at(0, 10, 0, 0)}},
	} {
		v := Table{tc.all, func(pid int) (string, bool) { c, ok := tc.cookies[pid]; return c, ok }}
		if got := pids(v.OfJob("mine", 10)); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}
