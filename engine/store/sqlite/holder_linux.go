package sqlite

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// lockHolder is the process that keeps a lock for writing on one of the files, as the kernel
// lists it, and whether it is stopped; pid is 0 if none is known. The files are not opened: to
// close one again would drop our own locks on it.
func lockHolder(paths ...string) (pid int, name string, stopped bool) {
	var inodes []string
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				inodes = append(inodes, strconv.FormatUint(st.Ino, 10))
			}
		}
	}
	list, _ := os.ReadFile("/proc/locks")
	for line := range strings.Lines(string(list)) {
		// 1: POSIX  ADVISORY  WRITE 4711 fd:01:1234 120 120
		fields := strings.Fields(line)
		if len(fields) < 8 || fields[3] != "WRITE" {
			continue
		}
		inode := fields[5][strings.LastIndexByte(fields[5], ':')+1:]
		holder, err := strconv.Atoi(fields[4])
		if err != nil || holder <= 0 || holder == os.Getpid() || !slices.Contains(inodes, inode) {
			continue
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", holder))
		open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
		if err != nil || open < 0 || end < open || end+2 >= len(stat) {
			continue
		}
		pid, name, stopped = holder, string(stat[open+1:end]), stat[end+2] == 'T'
		if stopped { // of several, it is the one in the way
			break
		}
	}
	return pid, name, stopped
}
