package proctree

import (
	"strings"
	"testing"
)

func TestParseStat(t *testing.T) {
	entry := func(state byte, memory bool) Process {
		return Process{ID: ID{7, 12345}, Parent: 10, Group: 20, Session: 30, Threads: 1, State: state, HasMemory: memory}
	}
	const rest = " 10 20 30 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 1 2 3"
	for _, tc := range []struct {
		line string
		want Process
		ok   bool
	}{
		{"7 (acme) S" + rest, entry('S', true), true},
		{"7 (a) Z 1 (b) Z" + strings.Replace(rest, "12345 1", "12345 0", 1), entry('Z', false), true},
		{"7 (new\nline) R" + rest, entry('R', true), true},
		{"7 () T" + rest, entry('T', true), true},
		{"", Process{}, false},
		{"7 (acme", Process{}, false},
		{"7 )acme( S" + rest, Process{}, false},
		{"7 (acme) S 10 20", Process{}, false},
		{"x (acme) S" + rest, Process{}, false},
		{"7 (acme) SS" + rest, Process{}, false},
	} {
		got, err := parseStat([]byte(tc.line))
		if (err == nil) != tc.ok || tc.ok && got != tc.want {
			t.Errorf("%q: %+v, %v", tc.line, got, err)
		}
	}
}

func TestDead(t *testing.T) {
	for _, tc := range []struct {
		p    Process
		want bool
	}{
		{Process{State: 'S', Threads: 1}, false},
		{Process{State: 'T', Threads: 1}, false},
		{Process{State: 'Z', Threads: 1}, true},
		{Process{State: 'Z', Threads: 0}, true},
		{Process{State: 'Z', Threads: 2}, false},
		{Process{State: 'X', Threads: 1}, true},
	} {
		if tc.p.Dead() != tc.want {
			t.Errorf("%+v: %v", tc.p, !tc.want)
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
