//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
	"time"
)

// process is a process by its name for good: a process id alone may be somebody
// else's the next moment.
type process struct {
	pid   int
	began uint64 // clock ticks since boot
}

// member is a living process and its place.
type member struct {
	process
	parent, group, session int
	stopped                bool
}

// scene is one moment's view of the processes.
type scene struct {
	all    []member
	cookie func(pid int) (id string, ok bool) // not ok: it has none, or does not let us look
}

// below returns roots' descendants. One that has another job's cookie is left out
// with all below it: a nested job has a supervisor of its own and outlives us.
func (v scene) below(id string, roots ...int) []member {
	kids := map[int][]member{}
	for _, m := range v.all {
		kids[m.parent] = append(kids[m.parent], m)
	}
	seen := map[int]bool{}
	for _, pid := range roots {
		seen[pid] = true
	}
	var tree []member
	for i := 0; i < len(roots); i++ {
		for _, m := range kids[roots[i]] {
			if seen[m.pid] || m.pid <= 1 {
				continue
			}
			seen[m.pid] = true
			if c, ok := v.cookie(m.pid); ok && c != id {
				continue
			}
			tree = append(tree, m)
			roots = append(roots, m.pid)
		}
	}
	return tree
}

// orphans returns what is left of the job of a dead supervisor: its leader if it
// is still the same process, whoever has the job's cookie, the leader's session
// as long as the leader is there to show that it is its own, and what they
// started. self is never among them.
func (v scene) orphans(id string, leader process, self int) []member {
	var found []member
	lives := false
	for _, m := range v.all {
		lives = lives || m.process == leader && m.pid > 1
	}
	for _, m := range v.all {
		if m.pid <= 1 || m.pid == self {
			continue
		}
		c, known := v.cookie(m.pid)
		if known && c == id || !known && lives && (m.process == leader || m.session == leader.pid) {
			found = append(found, m)
		}
	}
	roots, in := []int{}, map[int]bool{self: true}
	for _, m := range found {
		roots = append(roots, m.pid)
		in[m.pid] = true
	}
	for _, m := range v.below(id, roots...) {
		if !in[m.pid] {
			found = append(found, m)
		}
	}
	return found
}

// members returns the living processes of the job. Whatever session they fled to
// and however they cleaned their environment, they stay below us, because orphans
// come to the nearest reaper.
func (s *supervisor) members() []member {
	return snapshot().below(s.id, os.Getpid())
}

// remaining also reaps. It looks twice before it says that none is left although
// we have children: while a look goes on, links to parents that die break.
func (s *supervisor) remaining() []member {
	for range 2 {
		if !s.reap() {
			return nil
		}
		if m := s.members(); len(m) > 0 {
			return m
		}
	}
	return nil
}

// terminate asks the whole tree to end: the group at once by the kernel and
// everybody else one by one, nobody twice.
func (s *supervisor) terminate() {
	members := s.members()
	syscall.Kill(-s.pid, syscall.SIGTERM)
	for _, m := range members {
		if m.group != s.pid {
			send(m.process, syscall.SIGTERM)
		}
		if m.stopped { // it would not even see it
			send(m.process, syscall.SIGCONT)
		}
	}
}

func (s *supervisor) kill() {
	members := s.members()
	syscall.Kill(-s.pid, syscall.SIGKILL)
	for _, m := range members {
		send(m.process, syscall.SIGKILL)
	}
}

// strike signals all members, also such as appear meanwhile, and waits at most d
// for them to go. It returns how many are left and enters in done those that it
// signalled.
func (s *supervisor) strike(sig syscall.Signal, d time.Duration, done map[process]bool) (left int) {
	const round = 10 * time.Millisecond // then look for new ones
	end := time.Now().Add(d)
	for first := true; ; first = false {
		// On a busy machine the time may be over after the first look.
		members := s.remaining()
		rest := time.Until(end)
		if len(members) == 0 || rest <= 0 && !first {
			return len(members)
		}
		for _, m := range members {
			if again := sig == syscall.SIGKILL; sig != 0 && (again || !done[m.process]) && send(m.process, sig) == nil {
				done[m.process] = true
			}
		}
		select {
		case <-s.child:
		case <-time.After(min(rest, round)):
		}
	}
}
