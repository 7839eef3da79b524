package process

import (
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

func TestMembers(t *testing.T) {
	const self, ownSID, leader = 100, 90, 200
	proc := func(pid, parent, session int, start uint64) proctree.Process {
		return proctree.Process{ID: proctree.ID{PID: pid, Start: start}, Parent: parent, Group: session, Session: session, State: 'S', HasMemory: true}
	}
	exiting := proc(400, self, 400, 51)
	exiting.HasMemory = false
	base := []proctree.Process{
		proc(1, 0, 1, 0), proc(90, 1, 90, 5), proc(self, 90, ownSID, 10),
		proc(leader, self, leader, 50),
	}
	for _, tc := range []struct {
		name    string
		s       []proctree.Process
		cookies map[int]string
		other   bool // another command, 300, runs too
		busy    bool // a command is being started
		want    []int
	}{
		{name: "alone", want: []int{200}},
		{name: "child", s: []proctree.Process{proc(201, 200, 200, 51)}, want: []int{200, 201}},
		{name: "grandchild listed before its parent", s: []proctree.Process{proc(150, 201, 700, 60), proc(201, 200, 700, 51)}, want: []int{200, 201, 150}},
		{name: "orphan in the session", s: []proctree.Process{proc(201, 1, 200, 51)}, want: []int{200, 201}},
		{name: "adopted with cookie", s: []proctree.Process{proc(201, self, 201, 51)}, cookies: map[int]string{201: "mine"}, want: []int{200, 201}},
		{name: "far away with cookie", s: []proctree.Process{proc(201, 1, 201, 51)}, cookies: map[int]string{201: "mine"}, want: []int{200, 201}},
		{name: "far away with cookie, but older: a copied one", s: []proctree.Process{proc(201, 1, 201, 49)}, cookies: map[int]string{201: "mine"}, want: []int{200}},
		{name: "nested job", s: []proctree.Process{proc(201, 200, 200, 51), proc(202, 201, 202, 52), proc(203, 202, 202, 53)}, cookies: map[int]string{201: "mine", 202: "nested", 203: "nested"}, want: []int{200, 201}},
		{name: "nested job in the same session", s: []proctree.Process{proc(201, 200, 200, 51)}, cookies: map[int]string{201: "nested"}, want: []int{200}},
		{name: "below a nested job", s: []proctree.Process{proc(201, 200, 201, 51), proc(202, 201, 201, 52)}, cookies: map[int]string{201: "nested"}, want: []int{200}},
		{name: "adopted without a cookie", s: []proctree.Process{proc(201, self, 201, 51), proc(202, 201, 201, 52)}, want: []int{200, 201, 202}},
		{name: "adopted without a cookie, two commands", s: []proctree.Process{proc(201, self, 201, 51)}, other: true, want: []int{200}},
		{name: "adopted without a cookie, while one starts", s: []proctree.Process{proc(201, self, 201, 51)}, busy: true, want: []int{200}},
		{name: "adopted without a cookie, older", s: []proctree.Process{proc(201, self, 201, 49)}, want: []int{200}},
		{name: "child of ours by os/exec", s: []proctree.Process{proc(201, self, ownSID, 51)}, want: []int{200}},
		{name: "other command and its tree", s: []proctree.Process{proc(301, 300, 300, 61)}, other: true, want: []int{200}},
		{name: "an adopted supervisor and its command", s: []proctree.Process{proc(400, self, 400, 51), proc(401, 400, 401, 52), proc(402, 401, 402, 53)}, cookies: map[int]string{400: ":crew", 401: "supervised"}, want: []int{200}},
		{name: "one that is about to end", s: []proctree.Process{exiting}, want: []int{200}},
		{name: "somebody else's", s: []proctree.Process{proc(201, 1, 201, 51)}, want: []int{200}},
		{name: "parent loop", s: []proctree.Process{proc(201, 202, 1, 51), proc(202, 201, 1, 51), proc(203, 203, 200, 51)}, want: []int{200, 203}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := view{self: self, session: ownSID, leaders: map[int]bool{leader: true}, complete: !tc.busy}
			v.Processes = append(tc.s, base...)
			v.Cookie = func(pid int) (string, bool) { c, ok := tc.cookies[pid]; return c, ok }
			if tc.other {
				v.leaders[300] = true
				v.Processes = append(v.Processes, proc(300, self, 300, 60))
			}
			got := map[int]bool{}
			for _, s := range v.members(base[3], "mine") {
				if got[s.PID] {
					t.Errorf("%d twice", s.PID)
				}
				got[s.PID] = true
			}
			for _, pid := range tc.want {
				if !got[pid] {
					t.Errorf("%d is missing", pid)
				}
				delete(got, pid)
			}
			if len(got) > 0 {
				t.Errorf("not ours: %v", got)
			}
		})
	}
}
