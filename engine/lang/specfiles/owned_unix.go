//go:build unix

package specfiles

import (
	"io/fs"
	"os"
	"syscall"
)

// OwnedAlone reports whether this user owns a file and nobody else can write it.
func OwnedAlone(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid() && info.Mode()&0o022 == 0
}
