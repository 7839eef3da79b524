//go:build linux || darwin

package supervisor

import (
	"os"
	"slices"
	"strconv"
	"syscall"
)

// worker is a supervisor as its gateway sees it. It reports in lines:
//
//	R pid         it is ready for a job
//	Q             the job waits for its semaphores
//	S pid         the command runs
//	E errno text  nothing runs, and that is recorded
//	X             the end is recorded
//	F errno       from its launcher: it could not be started
//
// After an X comes an R, or it ends.
type worker struct {
	sock *os.File

	// What follows is guarded by the mutex of the pool.
	pid    int   // 0 until it has reported
	failed error // why it did not
	job    *report
	gone   bool
}

func newWorker(fd int) *worker {
	syscall.SetNonblock(fd, true)
	return &worker{sock: os.NewFile(uintptr(fd), "supervisor"), failed: ErrSupervisor}
}

// report is what a worker reports about a job that it was assigned.
type report struct {
	first    chan string   // the first line, or "" if there was none
	recorded chan struct{} // closed when all is recorded, or nothing more will be
	closed   bool
}

func newReport() *report {
	return &report{first: make(chan string, 1), recorded: make(chan struct{})}
}

// receive takes in a line of the worker.
func (r *report) receive(line string) {
	select {
	case r.first <- line:
	default:
	}
	if line == "X" {
		r.close()
	}
}

// close ends the report: nothing more will be recorded.
func (r *report) close() {
	select {
	case r.first <- "":
	default:
	}
	if !r.closed {
		r.closed = true
		close(r.recorded)
	}
}

// readLines calls line with each line until the supervisor is gone.
func (w *worker) readLines(line func(string)) {
	var b []byte
	buf := make([]byte, 512)
	for {
		n, err := w.sock.Read(buf)
		b = append(b, buf[:n]...)
		for end := slices.Index(b, '\n'); end >= 0; end = slices.Index(b, '\n') {
			line(string(b[:end]))
			b = b[end+1:]
		}
		if err != nil {
			return
		}
	}
}

// retire has the supervisor end when it has nothing to do. It can still report.
func (w *worker) retire() { w.shutdown(syscall.SHUT_WR) }

// disconnect has it end likewise, and stops reading what it reports.
func (w *worker) disconnect() { w.shutdown(syscall.SHUT_RDWR) }

func (w *worker) shutdown(how int) {
	if raw, err := w.sock.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { syscall.Shutdown(int(fd), how) })
	}
}

// reap closes the socket of a supervisor that is gone. It is no child of ours,
// unless orphans come to us: then nobody else reaps it.
func (w *worker) reap() {
	w.sock.Close()
	if w.pid > 1 {
		retry(func() (int, error) { return syscall.Wait4(w.pid, nil, 0, nil) })
	}
}

// startResult parses the first line about a job.
func startResult(line string) (pid int, err error) {
	kind, rest, _ := cut(line, ' ')
	switch kind {
	case "S":
		if pid, err = strconv.Atoi(rest); err == nil {
			return pid, nil
		}
	case "E":
		number, text, ok := cut(rest, ' ')
		if errno, err := strconv.Atoi(number); ok && err == nil {
			return 0, &StartError{errno, text}
		}
	case "X", "Q":
		return 0, nil
	}
	return 0, ErrSupervisor
}
