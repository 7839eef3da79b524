//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
)

// assignment is what a supervisor needs to begin: the directory of the job, the
// descriptor of its lease, and the environment of the command.
type assignment struct {
	path  string
	env   []string
	lease int
}

// An assignment is sent as a frame, and with its first byte the lease. A frame is its kind,
// the length of its body, and the body: the path and the environment, each closed by a NUL.
const (
	frameKind   = "KPj" + version
	frameHeader = 8
	maxFrame    = 64 << 20 // no system lets an environment be as large
)

func encodeAssignment(path string, env []string) ([]byte, error) {
	size := len(path) + 1
	for _, kv := range env {
		size += len(kv) + 1
		if hasNUL(kv) {
			return nil, os.NewSyscallError("environment", syscall.EINVAL)
		}
	}
	if size > maxFrame {
		return nil, os.NewSyscallError("environment", syscall.E2BIG)
	}
	b := make([]byte, 0, frameHeader+size)
	b = append(b, frameKind...)
	b = append(b, byte(size), byte(size>>8), byte(size>>16), byte(size>>24))
	b = append(append(b, path...), 0)
	for _, kv := range env {
		b = append(append(b, kv...), 0)
	}
	return b, nil
}

func decodeAssignment(body []byte, lease int) (a assignment, ok bool) {
	var texts []string
	for rest := string(body); rest != ""; {
		text, after, closed := cut(rest, 0)
		if !closed {
			return a, false
		}
		texts, rest = append(texts, text), after
	}
	if len(texts) == 0 || lease < 0 {
		return a, false
	}
	return assignment{texts[0], texts[1:], lease}, true
}

// assign sends a frame, and with its first byte the lease.
func (w *worker) assign(frame []byte, lease int) error {
	raw, err := w.sock.SyscallConn()
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
	_, err = w.sock.Write(frame[n:])
	return err
}

// receiveAssignment returns the next assignment, or false when no more will come.
func receiveAssignment(sock *os.File) (a assignment, ok bool) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return a, false
	}
	lease := -1
	refuse := func() (assignment, bool) {
		if lease >= 0 {
			syscall.Close(lease)
		}
		return assignment{}, false
	}
	header, oob := make([]byte, frameHeader), make([]byte, syscall.CmsgSpace(4))
	for got := 0; got < len(header); {
		n, oobn := 0, 0
		var rerr error
		if err := raw.Read(func(fd uintptr) bool {
			n, rerr = retry(func() (n int, err error) {
				n, oobn, _, _, err = syscall.Recvmsg(int(fd), header[got:], oob, recvFlags)
				return n, err
			})
			return rerr != syscall.EAGAIN
		}); err != nil || rerr != nil || n <= 0 {
			return refuse()
		}
		got += n
		if fd := receivedFD(oob[:oobn]); fd >= 0 {
			syscall.CloseOnExec(fd)
			lease = fd
		}
	}
	size := int(header[4]) | int(header[5])<<8 | int(header[6])<<16 | int(header[7])<<24
	if string(header[:4]) != frameKind || size > maxFrame {
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
	if a, ok = decodeAssignment(body, lease); !ok {
		return refuse()
	}
	return a, true
}

// receivedFD returns the descriptor that came with a message, or -1.
func receivedFD(oob []byte) int {
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
