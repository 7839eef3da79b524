package changes

import (
	"io/fs"
	"syscall"
	"time"
)

// changeTime is when content or attributes of a file changed; nobody can set it.
func changeTime(info fs.FileInfo) (time.Time, bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return time.Time{}, false
	}
	return time.Unix(stat.Ctimespec.Unix()), true
}
