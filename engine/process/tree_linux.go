package process

// scene is one moment's view of the processes, seen from this process.
type scene struct {
	self, sid int // our own process id and session
	all       []stat
	leaders   map[int]bool // commands that run now
	// settled: no command is being started, and we have children only by starting
	// or adopting them. A process 1 is given everybody's orphans.
	settled bool
	cookie  func(pid int) (string, bool)
}

// owns reports whether s, whatever its parents are, names leader's job by its
// environment, session or group. A cookie goes before all else: inside our
// session it still marks a job of a nested gateway, which is not ours to end.
//
// What remains is an orphan that made itself a session and has no readable
// cookie. If there is but one command that it can come from, it comes from that
// one. Otherwise it is left to the command that ends last. One that has begun to
// end is left alone: it has no environment any more, and may be a supervisor.
func (v *scene) owns(leader stat, cookie string, s stat) bool {
	if s.pid <= 1 || s.pid == v.self || s.start < leader.start {
		return false
	}
	if s.pid == leader.pid {
		return true
	}
	if v.leaders[s.pid] {
		return false
	}
	if c, ok := v.cookie(s.pid); ok {
		return c == cookie
	}
	if s.sid == leader.pid || s.pgid == leader.pid {
		return true
	}
	return s.ppid == v.self && s.memory && s.sid != v.sid && !v.leaders[s.sid] && v.settled && len(v.leaders) == 1
}

// tree returns leader's processes: those that it owns and their descendants. A
// descendant with another job's cookie is left out with all below it.
func (v *scene) tree(leader stat, cookie string) []stat {
	var tree []stat
	in := map[int]bool{}
	kids := map[int][]stat{}
	for _, s := range v.all {
		if v.owns(leader, cookie, s) {
			in[s.pid] = true
			tree = append(tree, s)
		} else {
			kids[s.ppid] = append(kids[s.ppid], s)
		}
	}
	for i := 0; i < len(tree); i++ {
		for _, s := range kids[tree[i].pid] {
			if in[s.pid] || s.pid == v.self || s.pid <= 1 || v.leaders[s.pid] {
				continue
			}
			if _, other := v.cookie(s.pid); other {
				continue // had it been ours, owns would have said so
			}
			in[s.pid] = true
			tree = append(tree, s)
		}
	}
	return tree
}
