package supervisor

import (
	"maps"
	"slices"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

func at(pid, parent, session int, start uint64) proctree.Process {
	return proctree.Process{ID: proctree.ID{PID: pid, Start: start}, Parent: parent, Group: session, Session: session}
}

func pids(members []proctree.Process) []int {
	set := map[int]bool{}
	for _, p := range members {
		set[p.PID] = true
	}
	if len(set) != len(members) {
		return []int{-1} // a process is there twice
	}
	return slices.Sorted(maps.Keys(set))
}

func TestOrphans(t *testing.T) {
	const leader, self = 20, 99
	for _, tc := range []struct {
		name    string
		all     []proctree.Process
		cookies map[int]string
		want    []int
	}{
		{name: "nobody", all: []proctree.Process{at(50, 1, 50, 9)}},
		{name: "the leader by its start", all: []proctree.Process{at(leader, 1, 20, 5)}, want: []int{20}},
		{name: "a recycled leader and its session", all: []proctree.Process{at(leader, 1, 20, 6), at(21, 20, 20, 7)}},
		{name: "an older one with the leader's number", all: []proctree.Process{at(leader, 1, 20, 4)}},
		{name: "a recycled leader that is of another job", all: []proctree.Process{at(leader, 1, 20, 5)}, cookies: map[int]string{leader: "other"}},
		{name: "by cookie, anywhere", all: []proctree.Process{at(50, 1, 50, 9)}, cookies: map[int]string{50: "mine"}, want: []int{50}},
		{name: "the session, when the leader vouches for it", all: []proctree.Process{at(21, 1, 20, 7), at(leader, 1, 20, 5)}, want: []int{20, 21}},
		{name: "the session, when nobody does", all: []proctree.Process{at(21, 1, 20, 7)}},
		{name: "a nested job and what is below", all: []proctree.Process{at(50, 1, 50, 9), at(51, 50, 51, 9), at(52, 51, 52, 9)}, cookies: map[int]string{50: "mine", 51: "nested"}, want: []int{50}},
		{name: "a nameless one below", all: []proctree.Process{at(51, 50, 51, 9), at(50, 1, 50, 9)}, cookies: map[int]string{50: "mine"}, want: []int{50, 51}},
		{name: "not ourselves", all: []proctree.Process{at(self, 50, 51, 9), at(50, 1, 50, 9)}, cookies: map[int]string{50: "mine", self: "mine"}, want: []int{50}},
		{name: "not process 1", all: []proctree.Process{at(1, 0, 1, 0)}, cookies: map[int]string{1: "mine"}},
	} {
		v := proctree.Table{Processes: tc.all, Cookie: func(pid int) (string, bool) { c, ok := tc.cookies[pid]; return c, ok }}
		if got := pids(orphans(v, "mine", proctree.ID{PID: leader, Start: 5}, self)); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	// Of a job that died before its start was complete there is no leader to find.
	v := proctree.Table{Processes: []proctree.Process{at(0, 0, 0, 0)}, Cookie: func(int) (string, bool) { return "", false }}
	if got := orphans(v, "mine", proctree.ID{}, self); len(got) > 0 {
		t.Errorf("%v", got)
	}
}
