//go:build linux || darwin

package supervisor

import (
	"errors"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process/limits"
	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

// supervisor runs one job to its end. All that belongs to the job is in here, and nothing
// of it is used for another job.
type supervisor struct {
	Dir
	env    []string
	boot   string
	req    request
	status int // descriptors, or -1
	stdin  int
	out    [2]*limits.Output

	sigs  chan os.Signal  // the supervisor is asked to end
	child chan os.Signal  // a child ended
	ctl   chan struct{}   // the job may be cancelled
	gone  <-chan struct{} // closed when the gateway is gone

	synced <-chan struct{} // closed when the disk has all of the job before, or of this one

	ctlFile    *os.File      // the FIFO, read by a goroutine
	listenDone chan struct{} // closed when that has ended
	slots      []int         // locked files of the semaphores

	pid       int
	reaped    bool // the command ended
	acquiring bool // a goroutine still waits for a slot
	sweeper   *proctree.Sweeper
	exit      Exit
}

func newSupervisor(a assignment, boot string, sigs, child chan os.Signal, gone, synced <-chan struct{}) *supervisor {
	select { // a child of the job before, reaped long ago
	case <-child:
	default:
	}
	return &supervisor{
		Dir: Dir{path: a.path, id: base(a.path), lease: a.lease}, env: a.env, boot: boot, status: -1, stdin: -1,
		sigs: sigs, child: child, ctl: make(chan struct{}, 1), gone: gone, synced: synced,
		exit: Exit{Code: -1, Reason: Exited, Started: time.Now()},
	}
}

func base(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[i+1:]
		}
	}
	return path
}

// supervise reports whether nothing of the job is left in this process or below it.
func (s *supervisor) supervise() (clean bool) {
	defer s.close()
	if what, err := s.open(); err != nil {
		s.recordStartFailure(what, err)
		return false
	}
	if text, canceled := cancelText(s.path); canceled {
		s.exit.Reason, s.exit.Detail = Canceled, text
		return s.record()
	}
	if acquired, err := s.acquireSlots(); err != nil {
		s.recordStartFailure("queue", err)
		return false
	} else if !acquired {
		return s.record() && !s.acquiring
	}
	if err := s.start(); err != nil {
		s.recordStartFailure("start "+s.req.Path, err)
		return false
	}
	asked := s.monitor()
	s.finish(asked)
	recorded := s.record()
	if s.exit.Left > 0 { // the result does not wait for them, but they end all the same
		s.sweeper.Kill(limits.KillBudget)
		return false
	}
	return recorded && s.reaped && s.exit.Err == "" && s.exit.Reason != SupervisorSignal && !s.reap()
}

// close closes all that we have of the job, the lease last.
func (s *supervisor) close() {
	if s.ctlFile != nil {
		s.ctlFile.Close()
		<-s.listenDone
	}
	for _, o := range s.out {
		if o != nil {
			o.File.Close()
		}
	}
	closeAll(append(s.slots, s.stdin, s.status))
	s.releaseLease()
}

// open opens the files of the job and begins to listen for a cancel. What names the file
// that failed.
func (s *supervisor) open() (what string, err error) {
	if s.status, err = openFile(s.path+statusFile, syscall.O_RDWR); err != nil {
		return statusFile, err
	}
	if s.req, err = s.request(); err != nil {
		return requestFile, err
	}
	if s.stdin, err = openFile(s.path+stdinFile, syscall.O_RDONLY); err != nil {
		return stdinFile, err
	}
	for i, name := range []string{stdoutFile, stderrFile} {
		// In append mode, because a command that truncates its output, or opens
		// /dev/stdout a second time, would go on at its old offset and leave a run of
		// NULs.
		fd, err := openFile(s.path+name, syscall.O_RDWR|syscall.O_APPEND)
		if err != nil {
			return name, err
		}
		s.out[i] = limits.NewOutput(os.NewFile(uintptr(fd), name), s.req.Limits.Output, limits.PunchHole)
	}
	// For reading and writing: with a writer of our own it never ends. It is open
	// before the command is recorded, so that a cancel always finds a reader.
	fd, err := openFile(s.path+ctlFile, syscall.O_RDWR|syscall.O_NONBLOCK)
	if err != nil {
		return ctlFile, err
	}
	s.ctlFile, s.listenDone = os.NewFile(uintptr(fd), ctlFile), make(chan struct{})
	go s.listen()
	return "", nil
}

func (s *supervisor) listen() {
	defer close(s.listenDone)
	b := make([]byte, 64)
	for {
		if _, err := s.ctlFile.Read(b); err != nil {
			return
		}
		select {
		case s.ctl <- struct{}{}:
		default:
		}
	}
}

// start starts the command. What it is about to do is recorded first: if we die
// on the way, nobody must conclude that nothing ever ran.
func (s *supervisor) start() error {
	began := Start{Supervisor: os.Getpid(), Boot: s.boot, At: s.exit.Started}
	if err := s.write(startOffset, began.encode(s.id)); err != nil {
		return err
	}
	argv := append([]string{s.req.Path}, s.req.Args...)
	pid, err := syscall.ForkExec(s.req.Path, argv, &syscall.ProcAttr{
		Dir:   s.req.Dir,
		Env:   s.env,
		Files: []uintptr{uintptr(s.stdin), s.out[0].File.Fd(), s.out[1].File.Fd()},
		Sys:   proctree.LeaderAttr(),
	})
	if err != nil {
		return err
	}
	if pid <= 1 { // kill(-1) means everybody
		panic("supervisor: started process " + strconv.Itoa(pid))
	}
	s.pid = pid
	began.Pid, began.Began = pid, startTime(pid)
	if err := s.write(startOffset, began.encode(s.id)); err != nil {
		s.addError(err)
	}
	syscall.Close(s.stdin)
	s.stdin = -1
	sendLine(sockFD, "S "+strconv.Itoa(pid))
	return nil
}

// startTime returns the start of a process in clock ticks since boot, or 0.
func startTime(pid int) uint64 {
	p, _ := proctree.Read(pid)
	return p.Start
}

// recordStartFailure records and reports that nothing ran.
func (s *supervisor) recordStartFailure(what string, err error) {
	var errno syscall.Errno
	errors.As(err, &errno)
	s.exit.Reason, s.exit.Errno = StartFailed, int(errno)
	s.addError(err)
	s.exit.Ended = time.Now()
	s.write(exitOffset, s.exit.encode(s.id))
	sendLine(sockFD, "E "+strconv.Itoa(int(errno))+" "+what+": "+err.Error())
	sendLine(sockFD, "X")
}

// record writes how the job ended, reports it, and only then asks the disk. It
// reports whether it could.
func (s *supervisor) record() bool {
	if s.exit.Ended.IsZero() {
		s.exit.Ended = time.Now()
	}
	if err := s.write(exitOffset, s.exit.encode(s.id)); err != nil {
		return false // the end of our socket and lease says that the job is lost
	}
	closeAll(s.slots) // the next in the queue need not wait for the disk
	s.slots = nil
	sendLine(sockFD, "X")
	s.syncInBackground()
	return true
}

// syncInBackground has the disk take what is to last while we go on. At most one job waits
// for the disk.
func (s *supervisor) syncInBackground() {
	<-s.synced
	synced := make(chan struct{})
	s.synced = synced
	var outputs []*os.File
	for i, o := range s.out {
		if o != nil && o.Capture().Size > 0 {
			outputs = append(outputs, o.File)
			s.out[i] = nil
		}
	}
	status := s.status
	s.status = -1
	go func() {
		for _, f := range outputs {
			syncData(int(f.Fd()))
			f.Close()
		}
		syncData(status) // last, since it describes the others
		syscall.Close(status)
		close(synced)
	}()
}

func (s *supervisor) write(offset int64, record []byte) error {
	n, err := retry(func() (int, error) { return syscall.Pwrite(s.status, record, offset) })
	if err == nil && n < len(record) {
		err = syscall.EIO
	}
	return err
}

func (s *supervisor) addError(err error) {
	if err == nil {
		return
	}
	if s.exit.Err != "" {
		s.exit.Err += "; "
	}
	s.exit.Err += err.Error()
}
