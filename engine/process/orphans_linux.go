package process

import "golang.org/x/sys/unix"

// EndOrphans ends what is left of a command whose gateway was killed: every process
// that carries its cookie. It returns how many there were. Nobody may be running the
// command any more; this process's own commands are never touched.
func EndOrphans(cookie string) (ended int) {
	if cookie == "" {
		return 0
	}
	// Whoever is killed may have started another just before, so it is looked again
	// until nobody is found. A killed process may need a moment to die: it is counted once.
	type process struct {
		pid   int
		start uint64
	}
	killed := map[process]bool{}
	for range 10 {
		var found []stat
		for _, s := range snapshot() {
			if c, ok := readCookie(s.pid); ok && c == cookie && !s.dead() {
				found = append(found, s)
			}
		}
		if len(found) == 0 {
			break
		}
		for _, s := range found {
			h, err := openProcess(s)
			if err != nil {
				continue
			}
			// Behind the handle the process cannot change; its cookie is looked at again,
			// since its id may have been another's when the list was made.
			if c, ok := readCookie(s.pid); ok && c == cookie && h.signal(unix.SIGKILL) == nil {
				killed[process{s.pid, s.start}] = true
			}
			h.close()
		}
	}
	return len(killed)
}
