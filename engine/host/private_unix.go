//go:build unix

package host

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Exposed says why a file or folder is not this user's alone: others have it, or one of
// the permissions that are forbidden to them. It is "" if nothing is wrong. To root
// nothing is foreign: in a container everything may belong to somebody else.
func Exposed(info fs.FileInfo, forbidden fs.FileMode) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if me := os.Geteuid(); ok && me != 0 && int(st.Uid) != me {
		return fmt.Sprintf("it belongs to user %d", st.Uid)
	}
	switch mode := info.Mode().Perm(); {
	case mode&forbidden == 0:
		return ""
	case mode&0o022 != 0:
		return fmt.Sprintf("others can write it (mode %04o)", mode)
	default:
		return fmt.Sprintf("others can read it (mode %04o)", mode)
	}
}
