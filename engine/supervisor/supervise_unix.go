//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
	"time"
)

// supervisor sees one job to its end. All it needs is handed to it, and nothing of
// it is used for another job.
type supervisor struct {
	Dir
	env    []string
	boot   string
	req    request
	status int
	in     int
	out    [2]*spool

	sigs  chan os.Signal  // somebody asks us to end
	child chan os.Signal  // a child ended
	ctl   chan struct{}   // somebody cancels
	gone  <-chan struct{} // closed when the gateway is gone

	synced <-chan struct{} // closed when the disk has all of the job before, or of this one

	ctlFile    *os.File      // the FIFO, read by a goroutine
	listenDone chan struct{} // closed when that has ended
	slots      []int         // locked files of the pools

	pid       int
	reaped    bool // the command ended
	acquiring bool // somebody still waits for our place in a queue
	exit      Exit
}

func newSupervisor(j assignment, boot string, sigs, child chan os.Signal, gone, settled <-chan struct{}) *supervisor {
	select { // a child of the job before, long reaped
	case <-child:
	default:
	}
	return &supervisor{
		Dir: Dir{path: j.path, id: base(j.path), lease: j.lease}, env: j.env, boot: boot, status: -1, in: -1,
		sigs: sigs, child: child, ctl: make(chan struct{}, 1), gone: gone, synced: settled,
		exit: Exit{Code: -1, Reason: Exited, Started: time.Now()},
	}
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
	if admitted, err := s.acquireSlots(); err != nil {
		s.recordStartFailure("queue", err)
		return false
	} else if !admitted {
		return s.record() && !s.acquiring
	}
	if err := s.start(); err != nil {
		s.recordStartFailure("start "+s.req.Path, err)
		return false
	}
	stopped := s.monitor()
	s.finish(stopped)
	recorded := s.record()
	if s.exit.Left > 0 { // the result does not wait for them, but they end all the same
		s.strike(syscall.SIGKILL, killBudget, map[process]bool{})
		return false
	}
	return recorded && s.reaped && s.exit.Err == "" && s.exit.Reason != SupervisorSignal && !s.reap()
}

// close gives up all that we have of the job, the lease last.
func (s *supervisor) close() {
	if s.ctlFile != nil {
		s.ctlFile.Close()
		<-s.listenDone
	}
	for _, o := range s.out {
		if o != nil {
			syscall.Close(o.fd)
		}
	}
	for _, fd := range append(s.slots, s.in, s.status) {
		if fd >= 0 {
			syscall.Close(fd)
		}
	}
	s.releaseLease()
}

func base(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[i+1:]
		}
	}
	return path
}

// open opens the files of the job and its ears; what names what failed.
func (s *supervisor) open() (what string, err error) {
	if s.status, err = openFile(s.path+statusFile, syscall.O_RDWR); err != nil {
		return statusFile, err
	}
	if s.req, err = s.request(); err != nil {
		return requestFile, err
	}
	if s.in, err = openFile(s.path+stdinFile, syscall.O_RDONLY); err != nil {
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
		s.out[i] = &spool{fd: fd, max: s.req.Limits.Output}
	}
	// For reading and writing: with a writer of our own it never ends. It is open
	// before the command is announced, so that no cancel finds nobody.
	fd, err := openFile(s.path+ctlFile, syscall.O_RDWR|syscall.O_NONBLOCK)
	if err != nil {
		return ctlFile, err
	}
	s.ctlFile, s.listenDone = os.NewFile(uintptr(fd), ctlFile), make(chan struct{})
	go s.listen()
	return "", nil
}

func openFile(path string, flags int) (int, error) {
	return retry(func() (int, error) {
		return syscall.Open(path, flags|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0)
	})
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

// start starts the command. What it is about to do is written first: if we die
// on the way, nobody must think that nothing ever ran.
func (s *supervisor) start() error {
	began := Start{Supervisor: os.Getpid(), Boot: s.boot, At: s.exit.Started}
	if err := s.write(startOffset, began.encode(s.id)); err != nil {
		return err
	}
	argv := append([]string{s.req.Path}, s.req.Args...)
	pid, err := syscall.ForkExec(s.req.Path, argv, &syscall.ProcAttr{
		Dir:   s.req.Dir,
		Env:   s.env,
		Files: []uintptr{uintptr(s.in), uintptr(s.out[0].fd), uintptr(s.out[1].fd)},
		Sys:   commandAttr(),
	})
	if err != nil {
		return err
	}
	if pid <= 1 { // kill(-1) means everybody
		panic("keeper: started process " + itoa(int64(pid)))
	}
	s.pid = pid
	began.Pid, began.Began = pid, beginning(pid)
	if err := s.write(startOffset, began.encode(s.id)); err != nil {
		s.addError(err)
	}
	syscall.Close(s.in)
	s.in = -1
	sendLine(sockFD, "S "+itoa(int64(pid)))
	return nil
}

// recordStartFailure records and reports that nothing ran.
func (s *supervisor) recordStartFailure(what string, err error) {
	e, _ := err.(syscall.Errno)
	s.exit.Reason, s.exit.Errno = StartFailed, int(e)
	s.addError(err)
	s.exit.Ended = time.Now()
	s.write(exitOffset, s.exit.encode(s.id))
	sendLine(sockFD, "E "+itoa(int64(e))+" "+what+": "+err.Error())
	sendLine(sockFD, "X")
}

// record writes how the job ended, tells who waits, and only then asks the disk. It
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

// syncInBackground has the disk take what is to last while we go on. At most one job lags
// behind.
func (s *supervisor) syncInBackground() {
	<-s.synced
	settled := make(chan struct{})
	s.synced = settled
	var lasting []int
	for i, o := range s.out {
		if o.size > 0 {
			lasting = append(lasting, o.fd)
			s.out[i] = nil
		}
	}
	lasting = append(lasting, s.status) // last, since it tells of the others
	s.status = -1
	go func() {
		for _, fd := range lasting {
			syncData(fd)
			syscall.Close(fd)
		}
		close(settled)
	}()
}

func (s *supervisor) write(at int64, slot []byte) error {
	n, err := retry(func() (int, error) { return syscall.Pwrite(s.status, slot, at) })
	if err == nil && n < len(slot) {
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
