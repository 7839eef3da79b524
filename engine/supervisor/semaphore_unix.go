//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
	"time"
)

const (
	slotPollFirst = 5 * time.Millisecond
	slotPollLast  = 50 * time.Millisecond

	// maxOpenSlots bounds the files that one who waits keeps open.
	maxOpenSlots = 200

	queueFile = "line" // in a pool; the others are numbers
)

// acquireAll takes a place in each pool, or in none. Only the first in the line looks
// for one; the others wait for its lock, which costs nothing. With LOCK_NB as how
// it waits for nothing.
func acquireAll(pools []Semaphore, how int) (places []int, err error) {
	for _, p := range pools {
		fd, err := p.acquire(how)
		if err != nil {
			closeAll(places)
			return nil, err
		}
		places = append(places, fd)
	}
	return places, nil
}

func (p Semaphore) acquire(how int) (fd int, err error) {
	line, err := p.lockFile(queueFile, syscall.LOCK_EX|how)
	if err != nil {
		return -1, err
	}
	defer syscall.Close(line)
	now := syscall.NsecToTimeval(time.Now().UnixNano())
	syscall.Futimes(line, []syscall.Timeval{now, now}) // for SweepPools
	// As long as the line is ours the files of the places stay what they are, so a
	// look at all of them costs one call each.
	held := make([]int, p.Size)
	for i := range held {
		held[i] = -1
	}
	defer func() { closeAll(held) }()
	from := int(time.Now().UnixNano() % int64(p.Size)) // where a place is free is anywhere
	for pause := slotPollFirst; ; pause = min(pause*5/4, slotPollLast) {
		if fd, err = p.tryAcquire(held, from); err != syscall.EWOULDBLOCK || how == syscall.LOCK_NB {
			return fd, err
		}
		time.Sleep(pause)
	}
}

// tryAcquire takes a place that is free at this moment. What it opened it keeps in held.
func (p Semaphore) tryAcquire(held []int, from int) (fd int, err error) {
	for n := range held {
		i := (from + n) % len(held)
		if held[i] < 0 {
			if held[i], err = p.openFile(itoa(int64(i))); err != nil {
				return -1, err
			}
		}
		fd = held[i]
		_, err = retry(func() (int, error) { return 0, syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) })
		if err == nil {
			held[i] = -1
			return fd, nil
		}
		if err != syscall.EWOULDBLOCK {
			break
		}
		if n >= maxOpenSlots {
			syscall.Close(fd)
			held[i] = -1
		}
	}
	return -1, err
}

// lockFile locks a file of the pool. Who waited for the lock may have waited for a file
// that is gone now, with nobody else in that line.
func (p Semaphore) lockFile(name string, how int) (fd int, err error) {
	for {
		if fd, err = p.openFile(name); err != nil {
			return -1, err
		}
		if _, err := retry(func() (int, error) { return 0, syscall.Flock(fd, how) }); err != nil {
			syscall.Close(fd)
			return -1, err
		}
		if sameFile(fd, p.Dir+"/"+name) {
			return fd, nil
		}
		syscall.Close(fd)
	}
}

func (p Semaphore) openFile(name string) (fd int, err error) {
	path := p.Dir + "/" + name
	for range 100 { // whoever removes a pool does so seldom
		fd, err = retry(func() (int, error) {
			return syscall.Open(path, syscall.O_RDWR|syscall.O_CREAT|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0o600)
		})
		if err != syscall.ENOENT {
			break
		}
		if err := os.MkdirAll(p.Dir, 0o700); err != nil && !os.IsExist(err) {
			return -1, err
		}
	}
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// sameFile reports whether path names the open file.
func sameFile(fd int, path string) bool {
	var open, named syscall.Stat_t
	return syscall.Fstat(fd, &open) == nil && syscall.Lstat(path, &named) == nil && open.Dev == named.Dev && open.Ino == named.Ino
}

func closeAll(places []int) {
	for _, fd := range places {
		if fd >= 0 {
			syscall.Close(fd)
		}
	}
}

// SweepSemaphores removes the pools in root, each a folder there, that nobody has a place
// in or waits for, and that nobody entered since olderThan. It returns how many. A
// job that asks for such a pool meanwhile makes it anew.
func SweepSemaphores(root string, olderThan time.Time) (removed int, err error) {
	entries, err := os.ReadDir(root)
	if os.IsNotExist(err) {
		return 0, nil
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		gone, serr := Semaphore{Dir: root + "/" + e.Name()}.sweep(olderThan)
		if gone {
			removed++
		}
		if err == nil {
			err = serr
		}
	}
	return removed, err
}

// sweep holds the line and all places while it removes them, the line last: as long
// as it is there, whoever comes waits for it, and then finds that it is gone.
func (p Semaphore) sweep(olderThan time.Time) (gone bool, err error) {
	line, err := lock(p.Dir+"/"+queueFile, 0, syscall.LOCK_EX|syscall.LOCK_NB)
	if os.IsNotExist(err) { // what is left of one that was half removed or half made
		return syscall.Rmdir(p.Dir) == nil, nil
	}
	if err == syscall.EWOULDBLOCK {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer syscall.Close(line)
	var st syscall.Stat_t
	if err := syscall.Fstat(line, &st); err != nil {
		return false, os.NewSyscallError("fstat", err)
	}
	if !modified(&st).Before(olderThan) || !sameFile(line, p.Dir+"/"+queueFile) {
		return false, nil
	}
	entries, err := os.ReadDir(p.Dir)
	if err != nil {
		return false, err
	}
	var places []int
	defer func() { closeAll(places) }()
	for _, e := range entries {
		if e.Name() == queueFile {
			continue
		}
		if _, ours := atoi(e.Name()); !ours {
			return false, nil
		}
		fd, err := lock(p.Dir+"/"+e.Name(), 0, syscall.LOCK_EX|syscall.LOCK_NB)
		if err == syscall.EWOULDBLOCK {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		places = append(places, fd)
	}
	for _, e := range entries {
		if e.Name() != queueFile {
			if err := os.Remove(p.Dir + "/" + e.Name()); err != nil {
				return false, err
			}
		}
	}
	if err := os.Remove(p.Dir + "/" + queueFile); err != nil {
		return false, err
	}
	// It is not empty if somebody came just now.
	return syscall.Rmdir(p.Dir) == nil, nil
}
