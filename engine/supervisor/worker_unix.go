//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
)

// worker is a supervisor as its gateway sees it. What it says comes in lines:
//
//	R pid         ready for a job
//	Q             the job waits for its pools
//	S pid         the command runs
//	E errno text  nothing runs, and that is recorded
//	X             the end is recorded
//	F errno       from its starter: it could not be started
//
// After an X it says R, or it ends.
type worker struct {
	sock *os.File

	// What follows is guarded by the mutex of the crew.
	pid    int   // 0 until it has reported
	failed error // why it did not
	job    *report
	gone   bool
}

func newWorker(fd int) *worker {
	syscall.SetNonblock(fd, true)
	return &worker{sock: os.NewFile(uintptr(fd), "supervisor"), failed: ErrSupervisor}
}

// report is a job that a hand was given.
type report struct {
	first    chan []byte   // the first line, or nil if there was none
	recorded chan struct{} // closed when all is recorded, or nothing more will be
	closed   bool
}

func newReport() *report {
	return &report{first: make(chan []byte, 1), recorded: make(chan struct{})}
}

func (a *report) receive(line []byte) {
	select {
	case a.first <- append([]byte{}, line...):
	default:
	}
	if len(line) == 1 && line[0] == 'X' && !a.closed {
		a.closed = true
		close(a.recorded)
	}
}

func (a *report) close() {
	select {
	case a.first <- nil:
	default:
	}
	if !a.closed {
		a.closed = true
		close(a.recorded)
	}
}

// readLines calls line with each line until the supervisor is gone.
func (h *worker) readLines(line func([]byte)) {
	var b []byte
	buf := make([]byte, 512)
	for {
		n, err := h.sock.Read(buf)
		b = append(b, buf[:n]...)
		for end := indexByte(b, '\n'); end >= 0; end = indexByte(b, '\n') {
			line(b[:end])
			b = b[end+1:]
		}
		if err != nil {
			return
		}
	}
}

// retire has the supervisor end when it has nothing to do. It can still be heard.
func (h *worker) retire() { h.shutdown(syscall.SHUT_WR) }

// disconnect also stops to hear it.
func (h *worker) disconnect() { h.shutdown(syscall.SHUT_RDWR) }

func (h *worker) shutdown(how int) {
	if raw, err := h.sock.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { syscall.Shutdown(int(fd), how) })
	}
}

// reap closes what there is of a supervisor that is gone. It is no child of ours,
// unless orphans come to us: then nobody else reaps it.
func (h *worker) reap() {
	h.sock.Close()
	if h.pid > 1 {
		retry(func() (int, error) { return syscall.Wait4(h.pid, nil, 0, nil) })
	}
}

// startResult understands the first line about a job.
func (d *Dir) startResult(line []byte) (pid int, err error) {
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
