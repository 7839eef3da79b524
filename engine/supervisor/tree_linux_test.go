package supervisor

import (
	"maps"
	"slices"
	"testing"
)

func at(pid, parent, session int, began uint64) member {
	return member{process: process{pid, began}, parent: parent, group: session, session: session}
}

func pids(members []member) []int {
	set := map[int]bool{}
	for _, m := range members {
		set[m.pid] = true
	}
	if len(set) != len(members) {
		return []int{-1} // somebody is there twice
	}
	return slices.Sorted(maps.Keys(set))
}

func TestBelow(t *testing.T) {
	for _, tc := range []struct {
		name    string
		all     []member
		cookies map[int]string
		want    []int
	}{
		{name: "nobody"},
		{name: "a tree, children first", all: []member{at(30, 20, 20, 3), at(20, 10, 20, 2)}, want: []int{20, 30}},
		{name: "other sessions, other and no cookies", all: []member{at(20, 10, 20, 2), at(21, 10, 21, 2), at(22, 10, 22, 2)}, cookies: map[int]string{20: "mine", 21: "nested"}, want: []int{20, 22}},
		{name: "below a nested job", all: []member{at(20, 10, 20, 2), at(21, 20, 21, 3), at(22, 21, 22, 4)}, cookies: map[int]string{21: "nested", 22: "mine"}, want: []int{20}},
		{name: "somebody else's", all: []member{at(20, 9, 20, 2)}},
		{name: "a loop", all: []member{at(20, 10, 20, 2), at(10, 20, 10, 1)}, want: []int{20}},
		{name: "process 1", all: []member{at(1, 10, 1, 0), at(0, 10, 0, 0)}},
	} {
		v := scene{tc.all, func(pid int) (string, bool) { c, ok := tc.cookies[pid]; return c, ok }}
		if got := pids(v.below("mine", 10)); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestOrphans(t *testing.T) {
	const leader, self = 20, 99
	for _, tc := range []struct {
		name    string
		all     []member
		cookies map[int]string
		want    []int
	}{
		{name: "nobody", all: []member{at(50, 1, 50, 9)}},
		{name: "the leader by its start", all: []member{at(leader, 1, 20, 5)}, want: []int{20}},
		{name: "a recycled leader and its session", all: []member{at(leader, 1, 20, 6), at(21, 20, 20, 7)}},
		{name: "an older one with the leader's number", all: []member{at(leader, 1, 20, 4)}},
		{name: "a recycled leader that is of another job", all: []member{at(leader, 1, 20, 5)}, cookies: map[int]string{leader: "other"}},
		{name: "by cookie, anywhere", all: []member{at(50, 1, 50, 9)}, cookies: map[int]string{50: "mine"}, want: []int{50}},
		{name: "the session, when the leader vouches for it", all: []member{at(21, 1, 20, 7), at(leader, 1, 20, 5)}, want: []int{20, 21}},
		{name: "the session, when nobody does", all: []member{at(21, 1, 20, 7)}},
		{name: "a nested job and what is below", all: []member{at(50, 1, 50, 9), at(51, 50, 51, 9), at(52, 51, 52, 9)}, cookies: map[int]string{50: "mine", 51: "nested"}, want: []int{50}},
		{name: "a nameless one below", all: []member{at(51, 50, 51, 9), at(50, 1, 50, 9)}, cookies: map[int]string{50: "mine"}, want: []int{50, 51}},
		{name: "not ourselves", all: []member{at(self, 50, 51, 9), at(50, 1, 50, 9)}, cookies: map[int]string{50: "mine", self: "mine"}, want: []int{50}},
		{name: "not process 1", all: []member{at(1, 0, 1, 0)}, cookies: map[int]string{1: "mine"}},
	} {
		v := scene{tc.all, func(pid int) (string, bool) { c, ok := tc.cookies[pid]; return c, ok }}
		if got := pids(v.orphans("mine", process{leader, 5}, self)); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	// Of a job that died before its start was complete there is no leader to find.
	v := scene{[]member{at(0, 0, 0, 0)}, func(int) (string, bool) { return "", false }}
	if got := v.orphans("mine", process{}, self); len(got) > 0 {
		t.Errorf("%v", got)
	}
}

func TestParseStat(t *testing.T) {
	const rest = " 10 20 30 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 1 2 3\n"
	want := member{process: process{7, 12345}, parent: 10, group: 20, session: 30}
	stopped := want
	stopped.stopped = true
	for _, tc := range []struct {
		line     string
		want     member
		dead, ok bool
	}{
		{"7 (acme) S" + rest, want, false, true},
		{"7 (a) Z 1 (b) Z" + rest, want, true, true},
		{"7 (new\nline) T" + rest, stopped, false, true},
		{"7 (a) Z 10 20 30 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 2 0 12345 1 2 3", want, false, true},
		{"7 (a) X" + rest, want, true, true},
		{line: "7 (a) S 10 20"},
		{line: "7 (a) S 10 20 x 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 1"},
		{line: "7 a S" + rest},
		{line: ""},
	} {
		m, dead, ok := parseStat(7, []byte(tc.line))
		if ok != tc.ok || ok && (m != tc.want || dead != tc.dead) {
			t.Errorf("%q: %+v, dead %v, %v", tc.line, m, dead, ok)
		}
	}
}
