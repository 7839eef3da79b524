package supervisor

import (
	"os"
	"syscall"
	"time"
)

// Here the process group is all there is: a descendant that leaves it escapes,
// and if the supervisor is killed the command goes on. There is neither a
// subreaper nor a parent-death signal nor a hole in a file.

func executable() (string, error) { return os.Executable() }

func commandAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func becomeSubreaper() {}

// closeInherited marks nothing: a descriptor without close-on-exec would have to
// be one that the gateway's own client left open.
func closeInherited(int) {}

// recvFlags is empty: a descriptor comes in open on exec. A supervisor starts
// nothing while it receives one.
const recvFlags = 0

func socketpair() (ours, theirs int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	p, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(p[0])
		syscall.CloseOnExec(p[1])
	}
	return p[0], p[1], err
}

func bootID() string {
	id, _ := syscall.Sysctl("kern.bootsessionuuid")
	return id
}

func modified(st *syscall.Stat_t) time.Time { return time.Unix(st.Mtimespec.Unix()) }

// syncData asks the disk itself, which fsync does not do here.
// spread has nothing to do here.
func spreadDirs(string) {}

func syncData(fd int) {
	syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_FULLFSYNC, 0)
}

func punch(int, int64, int64) error { return syscall.EOPNOTSUPP }

// full cannot be told here; the command's own error message has to do.
func (o *spool) full(int) bool { return false }

// finishGroup ends what is left of the command's group. Its number is not given
// away as long as it has a member.
func finishGroup(pid int) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if pid <= 1 || syscall.Kill(-pid, sig) != nil {
			return
		}
		for end := time.Now().Add(termTime); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if syscall.Kill(-pid, 0) != nil {
				return
			}
		}
	}
}

func send(p process, sig syscall.Signal) error { return syscall.ESRCH }

func sweepLost(string, Start) int { return 0 }

func beginning(int) uint64 { return 0 }

func snapshot() scene {
	return scene{cookie: func(int) (string, bool) { return "", false }}
}

func lineage(int) (name, arg string, parent int) { return "", "", 0 }
