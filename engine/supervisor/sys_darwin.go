package supervisor

import (
	"os"
	"syscall"
	"time"
)

// On this system the process group is all there is: a descendant that leaves it escapes,
// and if the supervisor is killed the command goes on. There is neither a subreaper nor a
// parent-death signal nor a hole in a file.

func executable() (string, error) { return os.Executable() }

// closeInherited closes nothing: a descriptor without close-on-exec would have to
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

// spreadDirs has nothing to do on this system.
func spreadDirs(string) {}

// syncData asks the disk itself, which fsync does not do here.
func syncData(fd int) {
	syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_FULLFSYNC, 0)
}

// commandLine cannot be read on this system.
func commandLine(int) (name, arg string) { return "", "" }
