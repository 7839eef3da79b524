//go:build linux || darwin

package supervisor

import (
	"os"
	"os/signal"
	"syscall"
	"unsafe"
)

const (
	// processName is the name under which this program is started as a supervisor, and
	// with starting as its first argument as the starter of some.
	processName = "llm-gateway-keeper"
	launcherArg = "start"

	// sockFD is the descriptor of the socket to the gateway, after three of
	// /dev/null. A starter has those of others after it.
	sockFD = 3

	// titleSize is the length of a supervisor's only argument: room for any path.
	titleSize = 4096
)

// supervisorEnv is the whole environment of a supervisor. It has a cookie that is no job's,
// so that the sweep of a job in which a nested gateway has its supervisors leaves
// them alone, and what is below them. Its garbage is little and is to stay so.
var supervisorEnv = []string{CookieName + "=:crew", "GOGC=25"}

// A goroutine in init is locked to the first thread of the process. A command's
// parent-death signal comes when the thread that started it ends
// (golang/go#27505): this one lasts as long as the process.
func init() {
	if len(os.Args) < 2 || os.Args[0] != processName {
		return
	}
	// The name alone makes nobody a supervisor: users may give this program any.
	switch {
	case len(os.Args) == 2 && len(os.Args[1]) == titleSize && isSocket(sockFD):
		serve()
		syscall.Exit(0)
	case len(os.Args) == 3 && os.Args[1] == launcherArg:
		if n, ok := atoi(os.Args[2]); ok && n > 0 && n <= maxBatch && isSocket(sockFD+int(n)-1) {
			startBatch(int(n))
			syscall.Exit(0)
		}
	}
}

func isSocket(fd int) bool {
	var st syscall.Stat_t
	return syscall.Fstat(fd, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFSOCK
}

// serve is the life of a supervisor: one job after another until its gateway is gone
// or something is left of a job.
func serve() {
	syscall.CloseOnExec(sockFD)
	becomeSubreaper()
	setTitle("")
	sigs, child := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(sigs, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	signal.Notify(child, syscall.SIGCHLD)

	syscall.SetNonblock(sockFD, true)
	sock := os.NewFile(sockFD, "gateway")
	jobs, gone := make(chan assignment, 1), make(chan struct{})
	go func() {
		for {
			j, ok := receiveAssignment(sock)
			if !ok {
				close(gone)
				close(jobs)
				return
			}
			jobs <- j
		}
	}()
	boot := bootID()
	none := make(chan struct{})
	close(none)
	var settled <-chan struct{} = none
	defer func() { <-settled }()
	for {
		sendLine(sockFD, "R "+itoa(int64(os.Getpid())))
		select {
		case j, ok := <-jobs:
			// One that was asked to end meanwhile has not begun: another will.
			if !ok || len(sigs) > 0 || !j.holdsLease() {
				return
			}
			setTitle(j.path)
			s := newSupervisor(j, boot, sigs, child, gone, settled)
			clean := s.supervise()
			settled = s.synced
			if !clean || len(sigs) > 0 {
				return
			}
			setTitle("")
		case <-sigs:
			return
		}
	}
}

// holdsLease reports whether the lease that we were handed is that of the job.
func (j *assignment) holdsLease() bool {
	var fd, file syscall.Stat_t
	return syscall.Fstat(j.lease, &fd) == nil && syscall.Lstat(j.path+leaseFile, &file) == nil &&
		fd.Dev == file.Dev && fd.Ino == file.Ino
}

// setTitle writes the directory of our job where everybody can read it: into the
// argument that we were started with. Neither our environment nor our descriptors
// can be seen by a program in a sandbox, and a nested gateway may be in one. The
// string is no constant of the program but lies where the system put it.
func setTitle(path string) {
	title := unsafe.Slice(unsafe.StringData(os.Args[1]), titleSize)
	clear(title)
	copy(title[:titleSize-1], path)
}

// sendLine sends a line to the gateway. If it is gone, nobody needs to know.
func sendLine(fd int, line string) {
	retry(func() (int, error) { return syscall.Write(fd, []byte(line+"\n")) })
}
