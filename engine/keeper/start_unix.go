//go:build linux || darwin

package keeper

import (
	"os"
	"syscall"
)

// summons is the name under which this program is started as a supervisor.
const summons = "llm-gateway-keeper"

// The descriptors that a supervisor is started with, after three of /dev/null.
const (
	leaseFD = 3
	ackFD   = 4
)

// Start has a supervisor start the prepared job and returns the process id of its
// command, for display. The environment is complete; it is handed to the process
// and written nowhere. The id is 0 if the job waits for its pools, and if it was
// cancelled before: then nothing runs, and there is a record that says so. A
// *StartError too leaves a record; any other error
// leaves the lease here, for another attempt or for Remove.
func (d *Dir) Start(env []string, fork Fork) (pid int, err error) {
	if d.lease < 0 {
		return 0, ErrNoLease
	}
	if fork == nil {
		fork = func(start func() (int, error)) (int, func(), error) {
			pid, err := start()
			return pid, func() {}, err
		}
	}
	exe, err := self()
	if err != nil {
		return 0, err
	}
	ack, theirs, err := pipe()
	if err != nil {
		return 0, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		ack.Close()
		syscall.Close(theirs)
		return 0, err
	}
	attr := &syscall.ProcAttr{
		Dir:   "/",
		Env:   withCookie(env, d.id),
		Files: []uintptr{null.Fd(), null.Fd(), null.Fd(), uintptr(d.lease), uintptr(theirs)},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	}
	supervisor, reaped, err := fork(func() (int, error) {
		return syscall.ForkExec(exe, []string{summons, d.path}, attr)
	})
	null.Close()
	syscall.Close(theirs)
	if err != nil {
		ack.Close()
		if e, ok := err.(syscall.Errno); ok { // as a rule the environment is too big
			err = &os.SyscallError{Syscall: "start of the supervisor", Err: e}
		}
		return 0, err
	}
	d.release()
	d.told = make(chan struct{})
	first := make(chan []byte, 1)
	go d.hear(ack, supervisor, reaped, first)
	return d.begun(<-first)
}

// begun understands the first line of a supervisor.
func (d *Dir) begun(line []byte) (pid int, err error) {
	switch {
	case len(line) > 2 && line[0] == 'S':
		n, _ := atoi(string(line[2:]))
		return int(n), nil
	case len(line) > 2 && line[0] == 'E':
		end := indexByte(line[2:], ' ')
		if end < 0 {
			break
		}
		n, _ := atoi(string(line[2 : 2+end]))
		return 0, &StartError{int(n), string(line[2+end+1:])}
	case len(line) == 1 && (line[0] == 'X' || line[0] == 'Q'):
		return 0, nil
	}
	return 0, ErrSupervisor
}

// hear follows a supervisor through its pipe: one line when the command has
// begun or cannot, "X" when all is recorded, and the end.
func (d *Dir) hear(ack *os.File, supervisor int, reaped func(), first chan<- []byte) {
	var b []byte
	buf := make([]byte, 512)
	told := false
	for {
		n, err := ack.Read(buf)
		b = append(b, buf[:n]...)
		for end := indexByte(b, '\n'); end >= 0; end = indexByte(b, '\n') {
			line := b[:end]
			b = b[end+1:]
			if len(line) == 1 && line[0] == 'X' && !told {
				told = true
				close(d.told)
			}
			select {
			case first <- line:
			default:
			}
		}
		if err != nil {
			break
		}
	}
	select {
	case first <- nil:
	default:
	}
	ack.Close()
	if !told {
		close(d.told)
	}
	retry(func() (int, error) { return syscall.Wait4(supervisor, nil, 0, nil) })
	reaped()
}

func pipe() (r *os.File, w int, err error) {
	var p [2]int
	syscall.ForkLock.RLock() // pipe2 is not everywhere
	if err = syscall.Pipe(p[:]); err == nil {
		syscall.CloseOnExec(p[0])
		syscall.CloseOnExec(p[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, -1, os.NewSyscallError("pipe", err)
	}
	syscall.SetNonblock(p[0], true)
	return os.NewFile(uintptr(p[0]), "ack"), p[1], nil
}

// withCookie removes the cookies that env has, because a nested gateway passes on
// its own environment: of two cookies in one environment another sweep would see
// the first, and end a job that is not its own.
func withCookie(env []string, id string) []string {
	out := make([]string, 0, len(env)+1)
	for _, kv := range env {
		if !hasPrefix(kv, CookieName+"=") {
			out = append(out, kv)
		}
	}
	return append(out, CookieName+"="+id)
}
