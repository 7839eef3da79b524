//go:build linux || darwin

package supervisor

import (
	"os"

	"github.com/llm-cli-gateway/gateway/engine/process/limits"
	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

// members returns the living processes of the job. Whatever session they moved to
// and however they cleaned their environment, they stay below us, because orphans
// come to the nearest subreaper.
func (s *supervisor) members() []proctree.Process {
	return proctree.Snapshot().OfJob(s.id, os.Getpid())
}

// remaining also reaps. It looks twice before it reports that none is left although
// we have children: while a look goes on, links to parents that die break.
func (s *supervisor) remaining() (members []proctree.Process, some bool) {
	for range 2 {
		if !s.reap() {
			return nil, false
		}
		if m := s.members(); len(m) > 0 {
			return m, true
		}
	}
	return nil, false
}

// killOrphans kills what is left of a job whose supervisor died and returns how many
// processes it killed. It gives them no time: that they live is an accident.
func killOrphans(id string, s Start) int {
	leader := proctree.ID{PID: s.Pid, Start: s.Began}
	return proctree.KillAll(func() []proctree.Process {
		return orphans(proctree.Snapshot(), id, leader, os.Getpid())
	}, limits.KillBudget)
}

// orphans returns what is left of the job of a dead supervisor: its leader if it
// is still the same process, whoever has the job's cookie, the leader's session
// as long as the leader is there to show that it is its own, and the descendants of
// all these. self is never among them.
func orphans(t proctree.Table, id string, leader proctree.ID, self int) []proctree.Process {
	leaderLives := false
	for _, p := range t.Processes {
		leaderLives = leaderLives || p.ID == leader && p.PID > 1
	}
	var found []proctree.Process
	roots, seen := []int{}, map[int]bool{self: true}
	for _, p := range t.Processes {
		if p.PID <= 1 || p.PID == self {
			continue
		}
		cookie, known := t.Cookie(p.PID)
		if known && cookie == id || !known && leaderLives && (p.ID == leader || p.Session == leader.PID) {
			found = append(found, p)
			roots = append(roots, p.PID)
			seen[p.PID] = true
		}
	}
	for _, p := range t.OfJob(id, roots...) {
		if !seen[p.PID] {
			found = append(found, p)
		}
	}
	return found
}
