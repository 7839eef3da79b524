//go:build linux || darwin

package supervisor

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"unsafe"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

const (
	// processName is the name under which this program is started as a supervisor, and
	// with launcherArg as its first argument as the launcher of some.
	processName = "llm-gateway-keeper"
	launcherArg = "start"

	// sockFD is the descriptor of the socket to the gateway, after three of
	// /dev/null. A launcher has the sockets of the other supervisors after it.
	sockFD = 3

	// titleSize is the length of a supervisor's only argument: enough for any path.
	titleSize = 4096
)

// supervisorEnv is the whole environment of a supervisor. It has a cookie that is no job's,
// so that the supervisors of a nested gateway are not ended with the job that this gateway
// is a part of, nor is what is below them. A supervisor makes little garbage, and a low
// GOGC keeps its memory small.
var supervisorEnv = []string{CookieName + "=:crew", "GOGC=25"}

// A goroutine in init is locked to the first thread of the process. A command's
// parent-death signal comes when the thread that started it ends
// (golang/go#27505): this one lasts as long as the process.
func init() {
	if len(os.Args) < 2 || os.Args[0] != processName {
		return
	}
	// The name alone makes no supervisor: users may give this program any.
	switch {
	case len(os.Args) == 2 && len(os.Args[1]) == titleSize && isSocket(sockFD):
		serve()
		syscall.Exit(0)
	case len(os.Args) == 3 && os.Args[1] == launcherArg:
		if n, err := strconv.Atoi(os.Args[2]); err == nil && n > 0 && n <= maxBatch && isSocket(sockFD+n-1) {
			startBatch(n)
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
	proctree.SetSubreaper(true)
	setTitle("")
	sigs, child := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(sigs, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	signal.Notify(child, syscall.SIGCHLD)

	syscall.SetNonblock(sockFD, true)
	sock := os.NewFile(sockFD, "gateway")
	assignments, gone := make(chan assignment, 1), make(chan struct{})
	go func() {
		for {
			a, ok := receiveAssignment(sock)
			if !ok {
				close(gone)
				close(assignments)
				return
			}
			assignments <- a
		}
	}()
	boot := bootID()
	nothing := make(chan struct{})
	close(nothing)
	var synced <-chan struct{} = nothing
	defer func() { <-synced }()
	for {
		sendLine(sockFD, "R "+strconv.Itoa(os.Getpid()))
		select {
		case a, ok := <-assignments:
			// A supervisor that was asked to end meanwhile has not begun: another will.
			if !ok || len(sigs) > 0 || !a.holdsLease() {
				return
			}
			setTitle(a.path)
			s := newSupervisor(a, boot, sigs, child, gone, synced)
			clean := s.supervise()
			synced = s.synced
			if !clean || len(sigs) > 0 {
				return
			}
			setTitle("")
		case <-sigs:
			return
		}
	}
}

// holdsLease reports whether the lease that we were given is that of the job.
func (a *assignment) holdsLease() bool { return sameFile(a.lease, a.path+leaseFile) }

// setTitle writes the directory of our job where every process can read it: into the
// argument that we were started with. Neither our environment nor our descriptors
// can be seen by a program in a sandbox, and a nested gateway may be in one. The
// string is no constant of the program but lies where the system put it.
func setTitle(path string) {
	title := unsafe.Slice(unsafe.StringData(os.Args[1]), titleSize)
	clear(title)
	copy(title[:titleSize-1], path)
}

// sendLine sends a line to the gateway. If the gateway is gone, nobody needs it.
func sendLine(fd int, line string) {
	retry(func() (int, error) { return syscall.Write(fd, []byte(line+"\n")) })
}
