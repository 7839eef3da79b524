//go:build linux || darwin

package keeper

import (
	"os"
	"syscall"
)

// hand is a supervisor as its gateway sees it. What it says comes in lines:
//
//	R pid        ready for a job
//	Q            the job waits for its pools
//	S pid        the command runs
//	E errno text nothing runs, and that is recorded
//	X            the end is recorded
//	F errno      from its starter: it could not be started
//
// After an X it says R, or it ends.
type hand struct {
	sock *os.File

	// What follows is guarded by the mutex of the crew.
	pid    int   // 0 until it has reported
	failed error // why it did not
	job    *assignment
	gone   bool
}

func newHand(fd int) *hand {
	syscall.SetNonblock(fd, true)
	return &hand{sock: os.NewFile(uintptr(fd), "supervisor"), failed: ErrSupervisor}
}

// assignment is a job that a hand was given.
type assignment struct {
	first chan []byte   // the first line, or nil if there was none
	told  chan struct{} // closed when all is recorded, or nothing more will be
	done  bool
}

func newAssignment() *assignment {
	return &assignment{first: make(chan []byte, 1), told: make(chan struct{})}
}

func (a *assignment) hear(line []byte) {
	select {
	case a.first <- append([]byte{}, line...):
	default:
	}
	if len(line) == 1 && line[0] == 'X' && !a.done {
		a.done = true
		close(a.told)
	}
}

func (a *assignment) over() {
	select {
	case a.first <- nil:
	default:
	}
	if !a.done {
		a.done = true
		close(a.told)
	}
}

// hear calls line with each line until the supervisor is gone.
func (h *hand) hear(line func([]byte)) {
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

// dismiss has the supervisor end when it has nothing to do. It can still be heard.
func (h *hand) dismiss() { h.shutdown(syscall.SHUT_WR) }

// sever also stops to hear it.
func (h *hand) sever() { h.shutdown(syscall.SHUT_RDWR) }

func (h *hand) shutdown(how int) {
	if raw, err := h.sock.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { syscall.Shutdown(int(fd), how) })
	}
}

// bury closes what there is of a supervisor that is gone. It is no child of ours,
// unless orphans come to us: then nobody else reaps it.
func (h *hand) bury() {
	h.sock.Close()
	if h.pid > 1 {
		retry(func() (int, error) { return syscall.Wait4(h.pid, nil, 0, nil) })
	}
}

// handover is what a supervisor needs to begin: the directory of the job, with the
// lease beside it as a descriptor, and the environment of the command.
type handover struct {
	path  string
	env   []string
	lease int
}

// A frame begins with its kind and the length of what follows, which is the path
// and the environment, each closed by a NUL.
const (
	frameKind = "KPj" + version
	frameHead = 8
	frameMax  = 64 << 20 // no system lets an environment be as large
)

func encodeHandover(path string, env []string) ([]byte, error) {
	size := len(path) + 1
	for _, kv := range env {
		size += len(kv) + 1
		if hasNUL(kv) {
			return nil, os.NewSyscallError("environment", syscall.EINVAL)
		}
	}
	if size > frameMax {
		return nil, os.NewSyscallError("environment", syscall.E2BIG)
	}
	b := make([]byte, 0, frameHead+size)
	b = append(b, frameKind...)
	b = append(b, byte(size), byte(size>>8), byte(size>>16), byte(size>>24))
	b = append(append(b, path...), 0)
	for _, kv := range env {
		b = append(append(b, kv...), 0)
	}
	return b, nil
}

func decodeHandover(body []byte, lease int) (j handover, ok bool) {
	var texts []string
	for len(body) > 0 {
		end := indexByte(body, 0)
		if end < 0 {
			return j, false
		}
		texts = append(texts, string(body[:end]))
		body = body[end+1:]
	}
	if len(texts) == 0 || lease < 0 {
		return j, false
	}
	return handover{texts[0], texts[1:], lease}, true
}

// send hands over a frame, and with its first byte the lease.
func (h *hand) send(frame []byte, lease int) error {
	raw, err := h.sock.SyscallConn()
	if err != nil {
		return err
	}
	rights, n := syscall.UnixRights(lease), 0
	var sent error
	if err := raw.Write(func(fd uintptr) bool {
		n, sent = retry(func() (int, error) { return syscall.SendmsgN(int(fd), frame, rights, nil, 0) })
		return sent != syscall.EAGAIN
	}); err != nil {
		return err
	}
	if sent != nil {
		return sent
	}
	_, err = h.sock.Write(frame[n:])
	return err
}

// receive returns the next handover, or false when no more will come.
func receive(sock *os.File) (j handover, ok bool) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return j, false
	}
	lease := -1
	refuse := func() (handover, bool) {
		if lease >= 0 {
			syscall.Close(lease)
		}
		return handover{}, false
	}
	head, oob := make([]byte, frameHead), make([]byte, syscall.CmsgSpace(4))
	for got := 0; got < len(head); {
		n, oobn := 0, 0
		var rerr error
		if err := raw.Read(func(fd uintptr) bool {
			n, rerr = retry(func() (n int, err error) {
				n, oobn, _, _, err = syscall.Recvmsg(int(fd), head[got:], oob, recvFlags)
				return n, err
			})
			return rerr != syscall.EAGAIN
		}); err != nil || rerr != nil || n <= 0 {
			return refuse()
		}
		got += n
		if fd := right(oob[:oobn]); fd >= 0 {
			syscall.CloseOnExec(fd)
			lease = fd
		}
	}
	size := int(head[4]) | int(head[5])<<8 | int(head[6])<<16 | int(head[7])<<24
	if string(head[:4]) != frameKind || size > frameMax {
		return refuse()
	}
	body := make([]byte, size)
	for got := 0; got < size; {
		n, err := sock.Read(body[got:])
		if err != nil {
			return refuse()
		}
		got += n
	}
	if j, ok = decodeHandover(body, lease); !ok {
		return refuse()
	}
	return j, true
}

// right returns the descriptor that came with a message, or -1.
func right(oob []byte) int {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil || len(messages) != 1 {
		return -1
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return -1
	}
	return fds[0]
}
