package proctree

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"syscall"
)

var errStat = errors.New("malformed stat line")

// Read returns the entry of one process, dead or not.
func Read(pid int) (Process, error) {
	b, err := readFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return Process{}, err
	}
	return parseStat(b)
}

// parseStat looks for the last ')', because a program may call itself anything, for
// instance "x) Z 1".
func parseStat(b []byte) (p Process, err error) {
	left, right := slices.Index(b, '('), len(b)-1
	for right >= 0 && b[right] != ')' {
		right--
	}
	if left < 1 || right < left {
		return p, errStat
	}
	pid, f := fields(b[:left]), fields(b[right+1:])
	if len(pid) != 1 || len(f) < 21 || len(f[0]) != 1 {
		return p, errStat
	}
	p.State = f[0][0]
	for _, n := range []struct {
		to   *int
		text string
	}{{&p.PID, pid[0]}, {&p.Parent, f[1]}, {&p.Group, f[2]}, {&p.Session, f[3]}, {&p.Threads, f[17]}} {
		if *n.to, err = strconv.Atoi(n.text); err != nil {
			return p, errStat
		}
	}
	if p.Start, err = strconv.ParseUint(f[19], 10, 64); err != nil {
		return p, errStat
	}
	p.HasMemory = f[20] != "0"
	return p, nil
}

// fields returns what is between the spaces of a line. It allocates once for a line of
// stat: a slice that grows would touch memory that each supervisor then keeps.
func fields(line []byte) []string {
	f, start := make([]string, 0, 52), 0
	for i := range len(line) + 1 {
		if i == len(line) || line[i] == ' ' || line[i] == '\n' {
			if i > start {
				f = append(f, string(line[start:i]))
			}
			start = i + 1
		}
	}
	return f
}

// Snapshot reads the whole process table.
func Snapshot() Table {
	t := Table{Cookie: ReadCookie}
	for _, pid := range Numbers("/proc") {
		if p, err := Read(pid); err == nil && !p.Dead() {
			t.Processes = append(t.Processes, p)
		}
	}
	return t
}

// Children returns the process ids of our children, zombies included. They are listed by
// the thread that has them: adopted ones were always found with the main thread, but
// nothing promises that. A child that is reaped while its list is read may hide another,
// so whoever reaps adopted ones keeps others from listing meanwhile.
func Children() (pids []int) {
	for _, tid := range Numbers("/proc/self/task") {
		b, err := readFile("/proc/self/task/" + strconv.Itoa(tid) + "/children")
		if err != nil {
			continue
		}
		for _, f := range fields(b) {
			if pid, err := strconv.Atoi(f); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// ReadCookie returns the job that a process belongs to by its environment. It reports
// false if there is no cookie, or if the process makes itself unreadable even for its own
// user.
func ReadCookie(pid int) (id string, ok bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return "", false
	}
	return findCookie(b)
}

func findCookie(environ []byte) (id string, ok bool) {
	start := 0
	for i := range len(environ) + 1 {
		if i == len(environ) || environ[i] == 0 {
			if id, ok := cookieOf(string(environ[start:i])); ok {
				return id, true
			}
			start = i + 1
		}
	}
	return "", false
}

// Numbers returns the entries of a directory whose names are numbers: processes, threads
// or descriptors.
func Numbers(dir string) []int {
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

// readFile is os.ReadFile without the poller: three system calls, which makes a look at
// our children cheap.
func readFile(path string) ([]byte, error) {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(fd)
	b := make([]byte, 0, 1024)
	for {
		n, err := syscall.Read(fd, b[len(b):cap(b)])
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		b = b[:len(b)+n]
		if len(b) < cap(b) { // a short read is the end of a file of the kernel
			return b, nil
		}
		b = append(b, 0)[:len(b)]
	}
}
