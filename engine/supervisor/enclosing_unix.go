//go:build linux || darwin

package supervisor

import (
	"os"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

// EnclosingJobs returns the directories of the jobs that this process is a part of, the
// innermost first. It looks at the ancestors and not at the environment, which a program
// may clean before it starts another.
func EnclosingJobs() []string {
	var dirs []string
	for pid, steps := os.Getppid(), 0; pid > 1 && steps < 1000; steps++ {
		name, arg := commandLine(pid)
		if name == processName {
			// Any program may take the name, but not the process id in the record.
			if d, err := Open(arg); err == nil {
				if s, _, _, err := d.records(); err == nil && s.Supervisor == pid && s.Boot == bootID() {
					dirs = append(dirs, arg)
				}
			}
		}
		p, _ := proctree.Read(pid)
		pid = p.Parent
	}
	return dirs
}
