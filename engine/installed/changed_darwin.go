package installed

import (
	"io/fs"
	"syscall"
)

// changed is when the record of the file changed, in nanoseconds since 1970.
func changed(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ctimespec.Nano()
	}
	return 0
}
