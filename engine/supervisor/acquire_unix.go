//go:build linux || darwin

package supervisor

import (
	"syscall"
	"time"
)

// acquireSlots returns when the job holds a slot of each of its semaphores. It reports
// false, with the reason in the record, when it will not get them.
func (s *supervisor) acquireSlots() (acquired bool, err error) {
	if len(s.req.Semaphores) == 0 {
		return true, nil
	}
	if s.slots, err = acquireAll(s.req.Semaphores, syscall.LOCK_NB); err == nil {
		return true, nil
	}
	sendLine(sockFD, "Q")
	type result struct {
		slots []int
		err   error
	}
	results := make(chan result, 1)
	go func() {
		slots, err := acquireAll(s.req.Semaphores, 0)
		results <- result{slots, err}
	}()
	var timeout <-chan time.Time
	if s.req.QueueTimeout > 0 {
		timeout = time.After(s.req.QueueTimeout)
	}
	// If we do not wait for it, the goroutine may hang in the kernel, and what it still
	// acquires is given up when this process ends.
	s.acquiring = true
	select {
	case r := <-results:
		s.acquiring = false
		s.exit.Started = time.Now()
		s.slots = r.slots
		return r.err == nil, r.err
	case <-s.ctl:
		s.exit.Reason = Canceled
		s.exit.Detail, _ = cancelText(s.path)
	case <-s.gatewayGone():
		s.exit.Reason, s.exit.Detail = Canceled, gatewayEndedDetail
	case sig := <-s.sigs:
		s.exit.Reason, s.exit.Detail = SupervisorSignal, sig.String()
	case <-timeout:
		s.exit.Reason = QueueTimeout
	}
	return false, nil
}
