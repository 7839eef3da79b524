package process

import "github.com/llm-cli-gateway/gateway/engine/process/proctree"

// view is the process table, seen from this process.
type view struct {
	proctree.Table
	self, session int          // our own process id and session
	leaders       map[int]bool // commands that run now
	// complete reports that no command is being started, and that we have children only
	// by starting or adopting them. Process 1 is given the orphans of everybody.
	complete bool
}

// owns reports whether p, whatever its parents are, belongs to leader's job by its
// environment, session or group. A cookie goes before all else: inside our
// session it still marks a job of a nested gateway, which is not ours to end.
//
// What remains is an orphan that made itself a session and has no readable
// cookie. If there is but one command that it can come from, it comes from that
// one. Otherwise it is left to the command that ends last. One that has begun to
// end is left alone: it has no environment any more, and may be a supervisor.
func (v *view) owns(leader proctree.Process, cookie string, p proctree.Process) bool {
	if p.PID <= 1 || p.PID == v.self || p.Start < leader.Start {
		return false
	}
	if p.PID == leader.PID {
		return true
	}
	if v.leaders[p.PID] {
		return false
	}
	if c, ok := v.Cookie(p.PID); ok {
		return c == cookie
	}
	if p.Session == leader.PID || p.Group == leader.PID {
		return true
	}
	return p.Parent == v.self && p.HasMemory && p.Session != v.session && !v.leaders[p.Session] && v.complete && len(v.leaders) == 1
}

// members returns leader's processes: those that it owns and their descendants. A
// descendant with a cookie is left out with all below it: had it been ours, owns would
// have said so.
func (v *view) members(leader proctree.Process, cookie string) []proctree.Process {
	var owned []proctree.Process
	var roots []int
	for _, p := range v.Processes {
		if v.owns(leader, cookie, p) {
			owned = append(owned, p)
			roots = append(roots, p.PID)
		}
	}
	return append(owned, v.Descendants(roots, func(p proctree.Process) bool {
		_, marked := v.Cookie(p.PID)
		return marked || p.PID == v.self || v.leaders[p.PID]
	})...)
}
