package real

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// osProcess is one process; its start distinguishes it from a later one of the same number.
type osProcess struct {
	pid, parent int
	start       string
	name        string
}

// processes are all that run now; none where there is no /proc.
func processes() []osProcess {
	var list []osProcess
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it is gone
		}
		// pid (name) state ppid ... starttime; a name may hold anything.
		open, shut := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
		fields := strings.Fields(string(data[shut+1:]))
		pid, _ := strconv.Atoi(strings.TrimSpace(string(data[:open])))
		parent, _ := strconv.Atoi(fields[1])
		if fields[0] != "Z" {
			list = append(list, osProcess{pid: pid, parent: parent, start: fields[19], name: string(data[open+1 : shut])})
		}
	}
	return list
}

// descendants are some processes and those below them.
func descendants(found []osProcess) []osProcess {
	all := processes()
	var below []int
	for _, p := range found {
		below = append(below, p.pid)
	}
	for i := 0; i < len(below); i++ {
		for _, p := range all {
			if p.parent == below[i] && !slices.Contains(below, p.pid) {
				below, found = append(below, p.pid), append(found, p)
			}
		}
	}
	return found
}

// with are the processes whose environment holds a variable of this value.
func with(name, value string) []osProcess {
	var found []osProcess
	for _, p := range processes() {
		environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.pid))
		if bytes.Contains(append([]byte{0}, environ...), []byte("\x00"+name+"="+value+"\x00")) {
			found = append(found, p)
		}
	}
	return found
}
