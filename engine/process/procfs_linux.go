package process

import (
	"bytes"
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// stat is the part of /proc/PID/stat that tells who belongs to whom.
type stat struct {
	pid, ppid, pgid, sid int
	threads              int
	state                byte
	start                uint64 // clock ticks since boot; with pid it names a process for good
	memory               bool   // false from the first moment of its exit on
}

// dead counts the threads, because the state is that of the first one: a process
// whose first thread is a zombie may live on in others, and may have children.
func (s stat) dead() bool {
	return s.state == 'Z' && s.threads <= 1 || s.state == 'X' || s.state == 'x'
}

var errStat = errors.New("malformed stat line")

func readStat(pid int) (stat, error) {
	b, err := readProc("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}, err
	}
	return parseStat(b)
}

// parseStat looks for the last ')', since a program may call itself anything,
// for instance "x) Z 1".
func parseStat(b []byte) (s stat, err error) {
	open, shut := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 1 || shut < open {
		return s, errStat
	}
	f := bytes.Fields(b[shut+1:])
	if len(f) < 21 || len(f[0]) != 1 {
		return s, errStat
	}
	s.state = f[0][0]
	for _, n := range []struct {
		to   *int
		text []byte
	}{{&s.pid, bytes.TrimSpace(b[:open])}, {&s.ppid, f[1]}, {&s.pgid, f[2]}, {&s.sid, f[3]}, {&s.threads, f[17]}} {
		if *n.to, err = strconv.Atoi(string(n.text)); err != nil {
			return s, errStat
		}
	}
	if s.start, err = strconv.ParseUint(string(f[19]), 10, 64); err != nil {
		return s, errStat
	}
	s.memory = string(f[20]) != "0"
	return s, nil
}

// snapshot returns every process that is alive and not a zombie.
func snapshot() []stat {
	var all []stat
	for _, pid := range numbers("/proc") {
		if s, err := readStat(pid); err == nil && !s.dead() {
			all = append(all, s)
		}
	}
	return all
}

// children returns the process ids of our children, zombies included; ok is
// false on a kernel that does not list them. They are listed by the thread that
// has them: adopted ones were always found with the main thread, but nothing
// promises that. A child that is reaped while its list is read may hide another,
// so adopted ones are reaped under the lock under which they are listed.
func children() (pids []int, ok bool) {
	for _, tid := range numbers("/proc/self/task") {
		b, err := readProc("/proc/self/task/" + strconv.Itoa(tid) + "/children")
		if err != nil {
			continue
		}
		ok = true
		for _, f := range bytes.Fields(b) {
			if pid, err := strconv.Atoi(string(f)); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids, ok
}

// readCookie returns the job that a process belongs to by its environment; ok
// is false if it has no cookie or does not let us look (a program may make
// itself unreadable even for its own user).
func readCookie(pid int) (cookie string, ok bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return "", false
	}
	return findCookie(b)
}

func findCookie(environ []byte) (string, bool) {
	for kv := range bytes.SplitSeq(environ, []byte{0}) {
		if v, found := bytes.CutPrefix(kv, []byte(CookieName+"=")); found {
			return string(v), true
		}
	}
	return "", false
}

func numbers(dir string) []int {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1) // what vanished meanwhile is of no interest
	var ns []int
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			ns = append(ns, n)
		}
	}
	return ns
}

// readProc is os.ReadFile without its detour over the poller: three system
// calls, which is what makes a look at our children cheap.
func readProc(path string) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	b := make([]byte, 0, 1024)
	for {
		n, err := unix.Read(fd, b[len(b):cap(b)])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		b = b[:len(b)+n]
		if len(b) < cap(b) { // a short read is the end of a file of the kernel's
			return b, nil
		}
		b = append(b, 0)[:len(b)]
	}
}
