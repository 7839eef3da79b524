//go:build unix

package spec

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// foreign says why a file may hold what another user wants run; "" if it may not.
// Root runs what it is given: in a container everything belongs to somebody else.
func foreign(info fs.FileInfo) string {
	if info.Mode().Perm()&0o002 != 0 {
		return fmt.Sprintf("every user can write this file (mode %04o)", info.Mode().Perm())
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if me := os.Geteuid(); ok && me != 0 && int(st.Uid) != me && st.Uid != 0 {
		return fmt.Sprintf("the file belongs to user %d", st.Uid)
	}
	return ""
}
