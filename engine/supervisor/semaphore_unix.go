//go:build linux || darwin

package supervisor

import (
	"os"
	"strconv"
	"syscall"
	"time"
)

const (
	slotPollFirst = 5 * time.Millisecond
	slotPollLast  = 50 * time.Millisecond

	// maxOpenSlots bounds the files that a waiting process keeps open.
	maxOpenSlots = 200

	// queueFile is locked by the job that is next. All other files of a semaphore are
	// slots, named by their numbers.
	queueFile = "line"
)

// acquireAll acquires a slot of each semaphore, or of none. Only the first job in the
// queue of a semaphore looks for a slot; the others wait for its lock, which costs
// nothing. With LOCK_NB as how, nothing is waited for.
func acquireAll(semaphores []Semaphore, how int) (slots []int, err error) {
	for _, s := range semaphores {
		fd, err := s.acquire(how)
		if err != nil {
			closeAll(slots)
			return nil, err
		}
		slots = append(slots, fd)
	}
	return slots, nil
}

func (s Semaphore) acquire(how int) (fd int, err error) {
	queue, err := s.lockFile(queueFile, syscall.LOCK_EX|how)
	if err != nil {
		return -1, err
	}
	defer syscall.Close(queue)
	now := syscall.NsecToTimeval(time.Now().UnixNano())
	syscall.Futimes(queue, []syscall.Timeval{now, now}) // for SweepSemaphores
	// As long as we hold the queue nobody removes the files of the slots, so they stay
	// open, and a look at all of them costs one call each.
	open := make([]int, s.Size)
	for i := range open {
		open[i] = -1
	}
	defer func() { closeAll(open) }()
	from := int(time.Now().UnixNano() % int64(s.Size)) // any slot may be the free one
	for pause := slotPollFirst; ; pause = min(pause*5/4, slotPollLast) {
		if fd, err = s.tryAcquire(open, from); err != syscall.EWOULDBLOCK || how == syscall.LOCK_NB {
			return fd, err
		}
		time.Sleep(pause)
	}
}

// tryAcquire locks a slot that is free at this moment, beginning with the slot from. It
// keeps the files of the others in open.
func (s Semaphore) tryAcquire(open []int, from int) (fd int, err error) {
	for n := range open {
		i := (from + n) % len(open)
		if open[i] < 0 {
			if open[i], err = s.openFile(strconv.Itoa(i)); err != nil {
				return -1, err
			}
		}
		fd = open[i]
		_, err = retry(func() (int, error) { return 0, syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) })
		if err == nil {
			open[i] = -1
			return fd, nil
		}
		if err != syscall.EWOULDBLOCK {
			break
		}
		if n >= maxOpenSlots {
			syscall.Close(fd)
			open[i] = -1
		}
	}
	return -1, err
}

// lockFile locks a file of the semaphore. While it waits for the lock the file may be
// removed, and then nobody else waits in the same queue: it begins again.
func (s Semaphore) lockFile(name string, how int) (fd int, err error) {
	for {
		if fd, err = s.openFile(name); err != nil {
			return -1, err
		}
		if _, err := retry(func() (int, error) { return 0, syscall.Flock(fd, how) }); err != nil {
			syscall.Close(fd)
			return -1, err
		}
		if sameFile(fd, s.Dir+"/"+name) {
			return fd, nil
		}
		syscall.Close(fd)
	}
}

func (s Semaphore) openFile(name string) (fd int, err error) {
	path := s.Dir + "/" + name
	for range 100 { // semaphores are seldom removed
		fd, err = retry(func() (int, error) {
			return syscall.Open(path, syscall.O_RDWR|syscall.O_CREAT|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0o600)
		})
		if err != syscall.ENOENT {
			break
		}
		if err := os.MkdirAll(s.Dir, 0o700); err != nil && !os.IsExist(err) {
			return -1, err
		}
	}
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// SweepSemaphores removes the semaphores in root, each a folder there, of which nobody
// holds a slot or waits for one, and that nobody used since olderThan. It returns how many
// it removed. A job that needs such a semaphore meanwhile makes it again.
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

// sweep holds the queue and all slots while it removes them, the queue last: as long
// as it is there, a job that comes waits for it, and then finds that it is gone.
func (s Semaphore) sweep(olderThan time.Time) (gone bool, err error) {
	queue, err := lock(s.Dir+"/"+queueFile, 0, syscall.LOCK_EX|syscall.LOCK_NB)
	if os.IsNotExist(err) { // it was removed or made in part
		return syscall.Rmdir(s.Dir) == nil, nil
	}
	if err == syscall.EWOULDBLOCK {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer syscall.Close(queue)
	var st syscall.Stat_t
	if err := syscall.Fstat(queue, &st); err != nil {
		return false, os.NewSyscallError("fstat", err)
	}
	if !modified(&st).Before(olderThan) || !sameFile(queue, s.Dir+"/"+queueFile) {
		return false, nil
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return false, err
	}
	var slots []int
	defer func() { closeAll(slots) }()
	for _, e := range entries {
		if e.Name() == queueFile {
			continue
		}
		if !isSlot(e.Name()) {
			return false, nil
		}
		fd, err := lock(s.Dir+"/"+e.Name(), 0, syscall.LOCK_EX|syscall.LOCK_NB)
		if err == syscall.EWOULDBLOCK {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		slots = append(slots, fd)
	}
	for _, e := range entries {
		if e.Name() != queueFile {
			if err := os.Remove(s.Dir + "/" + e.Name()); err != nil {
				return false, err
			}
		}
	}
	if err := os.Remove(s.Dir + "/" + queueFile); err != nil {
		return false, err
	}
	// It is not empty if a job came just now.
	return syscall.Rmdir(s.Dir) == nil, nil
}

// isSlot reports whether a file of a semaphore is one of its slots, and not of others.
func isSlot(name string) bool {
	n, err := strconv.Atoi(name)
	return err == nil && strconv.Itoa(n) == name
}
