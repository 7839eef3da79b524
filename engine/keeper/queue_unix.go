//go:build linux || darwin

package keeper

import (
	"os"
	"syscall"
	"time"
)

const (
	placeFast = 5 * time.Millisecond
	placeSlow = 50 * time.Millisecond
)

// queue returns when the job has a place in all its pools, or with the reason in
// the record when it will not get one.
func (s *supervisor) queue() (admitted bool, err error) {
	if len(s.req.Pools) == 0 {
		return true, nil
	}
	for _, p := range s.req.Pools {
		if err := os.MkdirAll(p.Dir, 0o700); err != nil {
			return false, err
		}
	}
	if s.places, err = enter(s.req.Pools, syscall.LOCK_NB); err == nil {
		return true, nil
	}
	s.say("Q")
	type entry struct {
		places []int
		err    error
	}
	got := make(chan entry, 1)
	go func() {
		places, err := enter(s.req.Pools, 0)
		got <- entry{places, err}
	}()
	var late <-chan time.Time
	if s.req.Limits.Queue > 0 {
		late = time.After(s.req.Limits.Queue)
	}
	// The goroutine is left behind: it may be waiting in the kernel, and what it
	// still gets goes with this process.
	select {
	case e := <-got:
		s.exit.Started = time.Now()
		s.places = e.places
		return e.err == nil, e.err
	case <-s.ctl:
		s.exit.Reason = Canceled
		s.exit.Detail, _ = marker(s.path)
	case sig := <-s.sigs:
		s.exit.Reason, s.exit.Detail = SupervisorSignal, sig.String()
	case <-late:
		s.exit.Reason = QueueTimeout
	}
	return false, nil
}

// enter takes a place in each pool, or in none. Only the first in the line looks
// for one; the others wait for its lock, which costs nothing. With LOCK_NB as how
// it waits for nothing.
func enter(pools []Pool, how int) (places []int, err error) {
	for _, p := range pools {
		fd, err := p.enter(how)
		if err != nil {
			leave(places)
			return nil, err
		}
		places = append(places, fd)
	}
	return places, nil
}

func (p Pool) enter(how int) (fd int, err error) {
	line, err := lock(p.Dir+"/line", os.O_CREATE, syscall.LOCK_EX|how)
	if err != nil {
		return -1, err
	}
	defer syscall.Close(line)
	fd, err = p.place()
	for pause := placeFast; err == syscall.EWOULDBLOCK && how != syscall.LOCK_NB; pause = min(pause*5/4, placeSlow) {
		time.Sleep(pause)
		fd, err = p.place()
	}
	return fd, err
}

// place takes a place that is free at this moment.
func (p Pool) place() (fd int, err error) {
	for i := range p.Size {
		fd, err = lock(p.Dir+"/"+itoa(int64(i)), os.O_CREATE, syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EWOULDBLOCK {
			break
		}
	}
	return fd, err
}

func leave(places []int) {
	for _, fd := range places {
		syscall.Close(fd)
	}
}
