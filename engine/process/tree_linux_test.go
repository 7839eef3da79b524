package process

import (
	"strings"
	"testing"
)

func TestScene(t *testing.T) {
	const self, ownSID, leader = 100, 90, 200
	proc := func(pid, ppid, sid int, start uint64) stat {
		return stat{pid: pid, ppid: ppid, pgid: sid, sid: sid, state: 'S', start: start, memory: true}
	}
	base := []stat{
		proc(1, 0, 1, 0), proc(90, 1, 90, 5), proc(self, 90, ownSID, 10),
		proc(leader, self, leader, 50),
	}
	for _, tc := range []struct {
		name    string
		s       []stat
		cookies map[int]string
		other   bool // another command, 300, runs too
		busy    bool // a command is being started
		want    []int
	}{
		{name: "alone", want: []int{200}},
		{name: "child", s: []stat{proc(201, 200, 200, 51)}, want: []int{200, 201}},
		{name: "grandchild listed before its parent", s: []stat{proc(150, 201, 700, 60), proc(201, 200, 700, 51)}, want: []int{200, 201, 150}},
		{name: "orphan in the session", s: []stat{proc(201, 1, 200, 51)}, want: []int{200, 201}},
		{name: "adopted with cookie", s: []stat{proc(201, self, 201, 51)}, cookies: map[int]string{201: "mine"}, want: []int{200, 201}},
		{name: "far away with cookie", s: []stat{proc(201, 1, 201, 51)}, cookies: map[int]string{201: "mine"}, want: []int{200, 201}},
		{name: "far away with cookie, but older: a copied one", s: []stat{proc(201, 1, 201, 49)}, cookies: map[int]string{201: "mine"}, want: []int{200}},
		{name: "nested job", s: []stat{proc(201, 200, 200, 51), proc(202, 201, 202, 52), proc(203, 202, 202, 53)}, cookies: map[int]string{201: "mine", 202: "nested", 203: "nested"}, want: []int{200, 201}},
		{name: "nested job in the same session", s: []stat{proc(201, 200, 200, 51)}, cookies: map[int]string{201: "nested"}, want: []int{200}},
		{name: "below a nested job", s: []stat{proc(201, 200, 201, 51), proc(202, 201, 201, 52)}, cookies: map[int]string{201: "nested"}, want: []int{200}},
		{name: "adopted without a cookie", s: []stat{proc(201, self, 201, 51), proc(202, 201, 201, 52)}, want: []int{200, 201, 202}},
		{name: "adopted without a cookie, two commands", s: []stat{proc(201, self, 201, 51)}, other: true, want: []int{200}},
		{name: "adopted without a cookie, while one starts", s: []stat{proc(201, self, 201, 51)}, busy: true, want: []int{200}},
		{name: "adopted without a cookie, older", s: []stat{proc(201, self, 201, 49)}, want: []int{200}},
		{name: "child of ours by os/exec", s: []stat{proc(201, self, ownSID, 51)}, want: []int{200}},
		{name: "other command and its tree", s: []stat{proc(301, 300, 300, 61)}, other: true, want: []int{200}},
		{name: "an adopted supervisor and its command", s: []stat{proc(400, self, 400, 51), proc(401, 400, 401, 52), proc(402, 401, 402, 53)}, cookies: map[int]string{400: ":crew", 401: "kept"}, want: []int{200}},
		{name: "one that is about to end", s: []stat{{pid: 400, ppid: self, pgid: 400, sid: 400, state: 'S', start: 51}}, want: []int{200}},
		{name: "somebody else's", s: []stat{proc(201, 1, 201, 51)}, want: []int{200}},
		{name: "parent loop", s: []stat{proc(201, 202, 1, 51), proc(202, 201, 1, 51), proc(203, 203, 200, 51)}, want: []int{200, 203}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := scene{self: self, sid: ownSID, leaders: map[int]bool{leader: true}, settled: !tc.busy, all: append(tc.s, base...)}
			v.cookie = func(pid int) (string, bool) { c, ok := tc.cookies[pid]; return c, ok }
			if tc.other {
				v.leaders[300] = true
				v.all = append(v.all, proc(300, self, 300, 60))
			}
			got := map[int]bool{}
			for _, s := range v.tree(base[3], "mine") {
				if got[s.pid] {
					t.Errorf("%d twice", s.pid)
				}
				got[s.pid] = true
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

func TestParseStat(t *testing.T) {
	const rest = " 10 20 30 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 1 2 3"
	for _, tc := range []struct {
		line string
		want stat
		ok   bool
	}{
		{"7 (acme) S" + rest, stat{7, 10, 20, 30, 1, 'S', 12345, true}, true},
		{"7 (a) Z 1 (b) Z" + strings.Replace(rest, "12345 1", "12345 0", 1), stat{7, 10, 20, 30, 1, 'Z', 12345, false}, true},
		{"7 (new\nline) R" + rest, stat{7, 10, 20, 30, 1, 'R', 12345, true}, true},
		{"7 () T" + rest, stat{7, 10, 20, 30, 1, 'T', 12345, true}, true},
		{"", stat{}, false},
		{"7 (acme", stat{}, false},
		{"7 )acme( S" + rest, stat{}, false},
		{"7 (acme) S 10 20", stat{}, false},
		{"x (acme) S" + rest, stat{}, false},
		{"7 (acme) SS" + rest, stat{}, false},
	} {
		got, err := parseStat([]byte(tc.line))
		if (err == nil) != tc.ok || tc.ok && got != tc.want {
			t.Errorf("%q: %+v, %v", tc.line, got, err)
		}
	}
}

func TestDead(t *testing.T) {
	for _, tc := range []struct {
		s    stat
		want bool
	}{
		{stat{state: 'S', threads: 1}, false},
		{stat{state: 'T', threads: 1}, false},
		{stat{state: 'Z', threads: 1}, true},
		{stat{state: 'Z', threads: 0}, true},
		{stat{state: 'Z', threads: 2}, false},
		{stat{state: 'X', threads: 1}, true},
	} {
		if tc.s.dead() != tc.want {
			t.Errorf("%+v: %v", tc.s, !tc.want)
		}
	}
}

func TestFindCookie(t *testing.T) {
	for _, tc := range []struct {
		environ, want string
		ok            bool
	}{
		{"A=1\x00" + CookieName + "=x\x00B=2\x00", "x", true},
		{CookieName + "=\x00", "", true},
		{CookieName + "=x=y", "x=y", true},
		{"X" + CookieName + "=x\x00", "", false},
		{"A=" + CookieName + "=x\x00", "", false},
		{CookieName + "X=x\x00", "", false},
		{"", "", false},
	} {
		if got, ok := findCookie([]byte(tc.environ)); got != tc.want || ok != tc.ok {
			t.Errorf("%q: %q, %v", tc.environ, got, ok)
		}
	}
}
