package supervisor

import (
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

// executable is this very program, even if its file was replaced or deleted since.
func executable() (string, error) { return "/proc/self/exe", nil }

// closeInherited closes the descriptors above last that our parent left open for
// us. The Go runtime has some of its own there, which are closed on exec.
func closeInherited(last int) {
	for _, fd := range proctree.Numbers("/proc/self/fd") {
		if fd <= last {
			continue
		}
		flags, _, e := syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
		if e == 0 && flags&syscall.FD_CLOEXEC == 0 {
			syscall.Close(fd)
		}
	}
}

// recvFlags has a descriptor come in closed on exec.
const recvFlags = syscall.MSG_CMSG_CLOEXEC

func socketpair() (ours, theirs int, err error) {
	p, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	return p[0], p[1], err
}

func bootID() string {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	id, _, _ := cut(string(b), '\n')
	return id
}

func modified(st *syscall.Stat_t) time.Time { return time.Unix(st.Mtim.Unix()) }

// spreadDirs has the file system put each folder in dir far from the others, if it can.
// ext4 puts them close together, and where many files were removed lately it searches
// long for an inode: 7 ms for the files of one job instead of 0.4.
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

// commandLine returns the name and first argument that a process was started with.
func commandLine(pid int) (name, arg string) {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	name, rest, _ := cut(string(b), 0)
	arg, _, _ = cut(rest, 0)
	return name, arg
}
