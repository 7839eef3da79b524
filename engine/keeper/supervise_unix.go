//go:build linux || darwin

package keeper

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// A goroutine in init is locked to the first thread of the process. A command's
// parent-death signal comes when the thread that started it ends
// (golang/go#27505): this one lasts as long as the process.
func init() {
	if len(os.Args) == 2 && os.Args[0] == summons && summoned(os.Args[1]) {
		supervise(os.Args[1], os.Environ(), leaseFD, ackFD)
		syscall.Exit(0)
	}
}

// summoned tells a supervisor from a user who gave this program a strange name:
// only the former has the lease of the job.
func summoned(path string) bool {
	var fd, file, ack syscall.Stat_t
	return syscall.Fstat(leaseFD, &fd) == nil && syscall.Lstat(path+leaseFile, &file) == nil &&
		fd.Dev == file.Dev && fd.Ino == file.Ino &&
		syscall.Fstat(ackFD, &ack) == nil && ack.Mode&syscall.S_IFMT == syscall.S_IFIFO
}

// supervisor sees one job to its end. All it needs is handed to it, so that one
// process could serve one job after another.
type supervisor struct {
	Dir
	env    []string
	ackFD  int
	req    request
	status int
	in     int
	out    [2]*spool

	sigs  chan os.Signal // somebody asks us to end
	child chan os.Signal // a child ended
	ctl   chan struct{}  // somebody cancels

	places []int // locked files of the pools

	pid  int
	gone bool // the command ended and is reaped
	exit Exit
}

func supervise(path string, env []string, leaseFD, ackFD int) {
	syscall.CloseOnExec(leaseFD)
	syscall.CloseOnExec(ackFD)
	dropInherited(ackFD)
	becomeReaper()

	s := &supervisor{
		Dir: Dir{path: path, id: base(path), lease: leaseFD}, env: env, ackFD: ackFD,
		sigs: make(chan os.Signal, 1), child: make(chan os.Signal, 1), ctl: make(chan struct{}, 1),
		exit: Exit{Code: -1, Reason: Exited, Started: time.Now()},
	}
	if what, err := s.open(); err != nil {
		s.refuse(what, err)
		return
	}
	if text, canceled := marker(s.path); canceled {
		s.exit.Reason, s.exit.Detail = Canceled, text
		s.record()
		return
	}
	if admitted, err := s.queue(); err != nil {
		s.refuse("queue", err)
		return
	} else if !admitted {
		s.record()
		return
	}
	if err := s.start(); err != nil {
		s.refuse("start "+s.req.Path, err)
		return
	}
	stopped := s.attend()
	s.conclude(stopped)
	s.record()
	if s.exit.Left > 0 { // the result does not wait for them, but they end all the same
		s.strike(syscall.SIGKILL, killBudget, map[process]bool{})
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

// open opens the files of the job and its ears; what names what failed.
func (s *supervisor) open() (what string, err error) {
	s.status, s.in = -1, -1
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
	go listen(os.NewFile(uintptr(fd), ctlFile), s.ctl)
	signal.Notify(s.sigs, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	signal.Notify(s.child, syscall.SIGCHLD)
	return "", nil
}

func openFile(path string, flags int) (int, error) {
	return retry(func() (int, error) {
		return syscall.Open(path, flags|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0)
	})
}

func listen(ctl *os.File, heard chan<- struct{}) {
	b := make([]byte, 64)
	for {
		if _, err := ctl.Read(b); err != nil {
			return
		}
		select {
		case heard <- struct{}{}:
		default:
		}
	}
}

// start starts the command. What it is about to do is written first: if we die
// on the way, nobody must think that nothing ever ran.
func (s *supervisor) start() error {
	began := Start{Supervisor: os.Getpid(), Boot: bootID(), At: s.exit.Started}
	if err := s.write(startSlot, began.encode(s.id)); err != nil {
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
	if err := s.write(startSlot, began.encode(s.id)); err != nil {
		s.note(err)
	}
	syscall.Close(s.in)
	s.say("S " + itoa(int64(pid)))
	return nil
}

// refuse records and reports that nothing ran.
func (s *supervisor) refuse(what string, err error) {
	e, _ := err.(syscall.Errno)
	s.exit.Reason, s.exit.Errno = StartFailed, int(e)
	s.note(err)
	s.exit.Ended = time.Now()
	s.write(exitSlot, s.exit.encode(s.id))
	s.say("E " + itoa(int64(e)) + " " + what + ": " + err.Error())
	s.say("X")
}

// record writes how the job ended, tells who waits, and only then waits for the
// disk.
func (s *supervisor) record() {
	if s.exit.Ended.IsZero() {
		s.exit.Ended = time.Now()
	}
	if err := s.write(exitSlot, s.exit.encode(s.id)); err != nil {
		return // the end of our pipe and lease says that the job is lost
	}
	leave(s.places) // the next in the queue need not wait for the disk
	s.say("X")
	for _, o := range s.out {
		syncData(o.fd)
	}
	syncData(s.status)
}

func (s *supervisor) write(at int64, slot []byte) error {
	n, err := retry(func() (int, error) { return syscall.Pwrite(s.status, slot, at) })
	if err == nil && n < len(slot) {
		err = syscall.EIO
	}
	return err
}

// say sends a line to who started us. If it is gone, nobody needs to know.
func (s *supervisor) say(line string) {
	retry(func() (int, error) { return syscall.Write(s.ackFD, []byte(line+"\n")) })
}

func (s *supervisor) note(err error) {
	if err == nil {
		return
	}
	if s.exit.Err != "" {
		s.exit.Err += "; "
	}
	s.exit.Err += err.Error()
}
