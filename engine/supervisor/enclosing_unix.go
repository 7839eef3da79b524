//go:build linux || darwin

package supervisor

import "os"

// EnclosingJobs returns the directories of the jobs that this process is a part of, the
// nearest first. It asks the ancestors and not the environment, which a program
// may clean before it starts another.
func EnclosingJobs() []string {
	var outer []string
	for pid, steps := os.Getppid(), 0; pid > 1 && steps < 1000; steps++ {
		name, arg, parent := lineage(pid)
		if name == processName {
			// Anybody may take the name, but not the place in the record.
			if d, err := Open(arg); err == nil {
				if s, _, _, err := d.records(); err == nil && s.Supervisor == pid && s.Boot == bootID() {
					outer = append(outer, arg)
				}
			}
		}
		pid = parent
	}
	return outer
}
