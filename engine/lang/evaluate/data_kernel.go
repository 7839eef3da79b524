//go:build linux && !race

package evaluate

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// slack is what the process may have beside the memory that is watched: the runtime asks
// for more than it has use for.
const slack = 256 << 20

// limitData has the kernel refuse memory far above the limit, in case that so much is
// wanted at once that nobody sees it coming. Where it cannot, the watch has to do.
func limitData(limit int64) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return
	}
	fields := strings.Fields(string(text)) // pages; the sixth counts data and stack
	if len(fields) < 6 {
		return
	}
	pages, err := strconv.ParseInt(fields[5], 10, 64)
	if err != nil {
		return
	}
	most := uint64(pages*int64(os.Getpagesize()) + limit + slack)
	_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: most, Max: most})
}
