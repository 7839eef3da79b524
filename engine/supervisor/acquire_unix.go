//go:build linux || darwin

package supervisor

import (
	"syscall"
	"time"
)

// acquireSlots returns when the job has a place in all its pools, or with the reason in
// the record when it will not get one.
func (s *supervisor) acquireSlots() (admitted bool, err error) {
	if len(s.req.Semaphores) == 0 {
		return true, nil
	}
	if s.slots, err = acquireAll(s.req.Semaphores, syscall.LOCK_NB); err == nil {
		return true, nil
	}
	sendLine(sockFD, "Q")
	type entry struct {
		places []int
		err    error
	}
	got := make(chan entry, 1)
	go func() {
		places, err := acquireAll(s.req.Semaphores, 0)
		got <- entry{places, err}
	}()
	var late <-chan time.Time
	if s.req.Limits.Queue > 0 {
		late = time.After(s.req.Limits.Queue)
	}
	// Where it is left behind, the goroutine may be waiting in the kernel, and what it
	// still gets goes with this process.
	s.acquiring = true
	select {
	case e := <-got:
		s.acquiring = false
		s.exit.Started = time.Now()
		s.slots = e.places
		return e.err == nil, e.err
	case <-s.ctl:
		s.exit.Reason = Canceled
		s.exit.Detail, _ = cancelText(s.path)
	case <-s.gatewayGone():
		s.exit.Reason, s.exit.Detail = Canceled, gatewayEndedDetail
	case sig := <-s.sigs:
		s.exit.Reason, s.exit.Detail = SupervisorSignal, sig.String()
	case <-late:
		s.exit.Reason = QueueTimeout
	}
	return false, nil
}
