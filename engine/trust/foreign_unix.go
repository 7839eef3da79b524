//go:build unix

package trust

import (
	"io/fs"
	"os"
	"syscall"
)

// foreign reports whether somebody else could have written a file.
func foreign(info fs.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return info.Mode().Perm()&0o022 != 0 || ok && int(owner.Uid) != os.Getuid()
}
