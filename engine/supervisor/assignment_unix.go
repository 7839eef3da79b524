//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
)

// assignment is what a supervisor needs to begin: the directory of the job, with the
// lease beside it as a descriptor, and the environment of the command.
type assignment struct {
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

func encodeAssignment(path string, env []string) ([]byte, error) {
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

func decodeAssignment(body []byte, lease int) (j assignment, ok bool) {
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
	return assignment{texts[0], texts[1:], lease}, true
}

// assign hands over a frame, and with its first byte the lease.
func (h *worker) assign(frame []byte, lease int) error {
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

// receiveAssignment returns the next handover, or false when no more will come.
func receiveAssignment(sock *os.File) (j assignment, ok bool) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return j, false
	}
	lease := -1
	refuse := func() (assignment, bool) {
		if lease >= 0 {
			syscall.Close(lease)
		}
		return assignment{}, false
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
		if fd := receivedFD(oob[:oobn]); fd >= 0 {
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
	if j, ok = decodeAssignment(body, lease); !ok {
		return refuse()
	}
	return j, true
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
