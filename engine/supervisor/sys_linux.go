package supervisor

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// Numbers that package syscall does not have; they are the same on every
// architecture that Go knows.
const (
	sysPidfdSendSignal = 424
	sysPidfdOpen       = 434
	prSetSubreaper     = 36
	fallocKeepSize     = 1
	fallocPunchHole    = 2
)

// recvFlags has a descriptor come in closed on exec.
const recvFlags = syscall.MSG_CMSG_CLOEXEC

func socketpair() (ours, theirs int, err error) {
	p, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	return p[0], p[1], err
}

// executable is this very program, even if its file was replaced or deleted since.
func executable() (string, error) { return "/proc/self/exe", nil }

func commandAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

func becomeSubreaper() { syscall.RawSyscall(syscall.SYS_PRCTL, prSetSubreaper, 1, 0) }

// closeInherited closes the descriptors above last that somebody left open for
// us. The Go runtime has some of its own there, which are closed on exec.
func closeInherited(last int) {
	for _, fd := range numbers("/proc/self/fd") {
		if fd <= last {
			continue
		}
		flags, _, e := syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
		if e == 0 && flags&syscall.FD_CLOEXEC == 0 {
			syscall.Close(fd)
		}
	}
}

func bootID() string {
	b, _ := readProc("/proc/sys/kernel/random/boot_id")
	if n := indexByte(b, '\n'); n >= 0 {
		b = b[:n]
	}
	return string(b)
}

func modified(st *syscall.Stat_t) time.Time { return time.Unix(st.Mtim.Unix()) }

// spreadDirs has the file system put each folder in dir far from the others, if it can.
// ext4 puts them close together, and where many files were removed lately it looks
// long for an inode that was not: 7 ms for the files of one job instead of 0.4.
func spreadDirs(dir string) {
	const topDir, long = 0x20000, unsafe.Sizeof(uintptr(0)) << 16
	const getFlags, setFlags = 2<<30 | long | 'f'<<8 | 1, 1<<30 | long | 'f'<<8 | 2
	fd, err := openFile(dir, syscall.O_RDONLY|syscall.O_DIRECTORY)
	if err != nil {
		return
	}
	defer syscall.Close(fd)
	var flags uintptr
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), getFlags, uintptr(unsafe.Pointer(&flags))); e == 0 {
		flags |= topDir
		syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), setFlags, uintptr(unsafe.Pointer(&flags)))
	}
}

func syncData(fd int) {
	retry(func() (int, error) { return 0, syscall.Fdatasync(fd) })
}

func punch(fd int, from, to int64) error {
	_, err := retry(func() (int, error) {
		return 0, syscall.Fallocate(fd, fallocPunchHole|fallocKeepSize, from, to-from)
	})
	return err
}

// burst is what programs write at once. A file system on which that found no space may
// have some blocks again a moment later, which it had kept for itself.
const burst = 64 << 10

// full reports whether the output stopped because there was no space for more.
// The command alone saw the error and many do not report it, so this asks for space
// where the next byte would have gone. It does so only if the command failed
// or the disk looks full: what is got stays with the file.
func (o *spool) full(code int) bool {
	var fs syscall.Statfs_t
	if syscall.Fstatfs(o.fd, &fs) != nil {
		return false
	}
	// The numbers alone prove nothing: some blocks are reserved for root, and a
	// quota does not show.
	want := int64(burst)
	if fs.Bavail*uint64(fs.Bsize) >= 1<<20 {
		if code == 0 {
			return false
		}
		want = block
	}
	_, err := retry(func() (int, error) { return 0, syscall.Fallocate(o.fd, fallocKeepSize, o.size, want) })
	return err == syscall.ENOSPC || err == syscall.EDQUOT
}

// finishGroup has nothing to do here: members knows them all.
func finishGroup(int) {}

// send signals p and nobody else. It looks at the start time after it has hold of
// a process: by then the handle cannot change, and a recycled id shows. Where the
// kernel or a sandbox has no such handle, the look has to do.
func send(p process, sig syscall.Signal) error {
	if p.pid <= 1 {
		return syscall.EINVAL
	}
	fd, _, e := syscall.Syscall(sysPidfdOpen, uintptr(p.pid), 0, 0)
	if e != 0 && e != syscall.ENOSYS && e != syscall.EPERM {
		return e
	}
	if e == 0 {
		defer syscall.Close(int(fd))
	}
	if beginning(p.pid) != p.began {
		return syscall.ESRCH
	}
	if e != 0 {
		return syscall.Kill(p.pid, sig)
	}
	if _, _, e := syscall.Syscall6(sysPidfdSendSignal, fd, uintptr(sig), 0, 0, 0, 0); e != 0 {
		return e
	}
	return nil
}

// sweepLost ends what is left of a job whose supervisor died. It gives them no
// time: that they live is an accident.
func sweepLost(id string, s Start) int {
	ended := map[process]bool{}
	for end := time.Now().Add(killBudget); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		left := snapshot().orphans(id, process{s.Pid, s.Began}, os.Getpid())
		if len(left) == 0 {
			break
		}
		for _, m := range left {
			if send(m.process, syscall.SIGKILL) == nil {
				ended[m.process] = true
			}
		}
	}
	return len(ended)
}

func beginning(pid int) uint64 {
	m, _, _ := readStat(pid)
	return m.began
}

// snapshot sees every process that is alive and not a zombie.
func snapshot() scene {
	v := scene{cookie: readCookie}
	for _, pid := range numbers("/proc") {
		if m, dead, ok := readStat(pid); ok && !dead {
			v.all = append(v.all, m)
		}
	}
	return v
}

func readStat(pid int) (m member, dead, ok bool) {
	b, err := readProc("/proc/" + itoa(int64(pid)) + "/stat")
	if err != nil {
		return m, false, false
	}
	return parseStat(pid, b)
}

// parseStat looks for the last ')', since a program may call itself anything, for
// instance "x) Z 1". It counts the threads, because the state is that of the
// first one: a process whose first thread is a zombie may live on in others.
func parseStat(pid int, b []byte) (m member, dead, ok bool) {
	shut := len(b) - 1
	for shut >= 0 && b[shut] != ')' {
		shut--
	}
	if shut < 0 {
		return m, false, false
	}
	var state, threads string
	numeric := true
	number := func(f string) int64 {
		n, ok := atoi(f)
		numeric = numeric && ok
		return n
	}
	m.pid = pid
	n := eachWord(b[shut+1:], func(i int, f string) {
		switch i {
		case 0:
			state = f
		case 1:
			m.parent = int(number(f))
		case 2:
			m.group = int(number(f))
		case 3:
			m.session = int(number(f))
		case 17:
			threads = f
		case 19:
			m.began = uint64(number(f))
		}
	})
	m.stopped = state == "T"
	dead = state == "Z" && (threads == "0" || threads == "1") || state == "X" || state == "x"
	return m, dead, n > 19 && numeric
}

// eachWord visits what is between spaces and returns how many there were.
func eachWord(b []byte, visit func(i int, word string)) (n int) {
	for at := 0; at < len(b); {
		end := at
		for end < len(b) && b[end] != ' ' && b[end] != '\n' {
			end++
		}
		if end > at {
			visit(n, string(b[at:end]))
			n++
		}
		at = end + 1
	}
	return n
}

// readCookie returns the job that a process belongs to by its environment. A
// program may make itself unreadable even for its own user.
func readCookie(pid int) (id string, ok bool) {
	b, err := readProc("/proc/" + itoa(int64(pid)) + "/environ")
	if err != nil {
		return "", false
	}
	// Not every entry of an environment needs to be a field.
	for len(b) > 0 && !ok {
		end := indexByte(b, 0)
		if end < 0 {
			end = len(b) - 1
		}
		id, ok = cutPrefix(string(b[:end]), CookieName+"=")
		b = b[end+1:]
	}
	return id, ok
}

// lineage returns the name and first argument that a process was started with,
// and its parent.
func lineage(pid int) (name, arg string, parent int) {
	m, _, _ := readStat(pid)
	b, _ := readProc("/proc/" + itoa(int64(pid)) + "/cmdline")
	if end := indexByte(b, 0); end >= 0 {
		name, b = string(b[:end]), b[end+1:]
		if end := indexByte(b, 0); end >= 0 {
			arg = string(b[:end])
		}
	}
	return name, arg, m.parent
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
		if n, ok := atoi(name); ok {
			ns = append(ns, int(n))
		}
	}
	return ns
}

// readProc is os.ReadFile without its detour over the poller.
func readProc(path string) ([]byte, error) {
	fd, err := openFile(path, syscall.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(fd)
	b := make([]byte, 0, 1024)
	for {
		n, err := retry(func() (int, error) { return syscall.Read(fd, b[len(b):cap(b)]) })
		if err != nil || n == 0 {
			return b, err
		}
		b = b[:len(b)+n]
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}
