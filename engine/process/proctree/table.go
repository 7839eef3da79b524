package proctree

// ID identifies a process for good. A process id alone may be another's the next moment.
type ID struct {
	PID   int
	Start uint64 // in clock ticks since boot
}

// Process is an entry of the process table.
type Process struct {
	ID
	Parent, Group, Session int
	Threads                int
	State                  byte // as the system shows it: 'R', 'S', 'T', 'Z' and so on
	HasMemory              bool // false from the first moment of its exit on
}

// Dead reports whether the process has ended and only waits to be reaped. It counts the
// threads, because the state is that of the first one: a process whose first thread is a
// zombie may live on in others, and may have children.
func (p Process) Dead() bool {
	return p.State == 'Z' && p.Threads <= 1 || p.State == 'X' || p.State == 'x'
}

// Stopped reports whether the process is suspended by a signal.
func (p Process) Stopped() bool { return p.State == 'T' }

// Table is the process table at one moment: every process that is not dead.
type Table struct {
	Processes []Process
	// Cookie returns the job that a process belongs to by its environment. It reports
	// false if the process has no cookie or does not let us look.
	Cookie func(pid int) (id string, ok bool)
}

// Descendants returns the processes below roots, without the roots. A process that skip
// reports is left out with all below it.
func (t Table) Descendants(roots []int, skip func(Process) bool) []Process {
	children := map[int][]Process{}
	for _, p := range t.Processes {
		children[p.Parent] = append(children[p.Parent], p)
	}
	seen := map[int]bool{}
	parents := append([]int{}, roots...)
	for _, pid := range roots {
		seen[pid] = true
	}
	var tree []Process
	for i := 0; i < len(parents); i++ {
		for _, p := range children[parents[i]] {
			if seen[p.PID] || p.PID <= 1 || skip(p) {
				continue
			}
			seen[p.PID] = true
			tree = append(tree, p)
			parents = append(parents, p.PID)
		}
	}
	return tree
}

// OfJob returns the descendants of roots that belong to a job. One with the cookie of
// another job is left out with all below it: a nested job has a supervisor of its own and
// outlives us.
func (t Table) OfJob(id string, roots ...int) []Process {
	return t.Descendants(roots, func(p Process) bool {
		cookie, ok := t.Cookie(p.PID)
		return ok && cookie != id
	})
}

// WithCookie returns the processes that have the cookie of a job.
func (t Table) WithCookie(id string) []Process {
	var found []Process
	for _, p := range t.Processes {
		if cookie, ok := t.Cookie(p.PID); ok && cookie == id {
			found = append(found, p)
		}
	}
	return found
}
