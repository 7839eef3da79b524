//go:build linux || darwin

package supervisor

import "time"

const (
	pollFirst = 20 * time.Millisecond
	pollLast  = 250 * time.Millisecond
)

// Wait waits for the end of the job, until stop is closed (ErrStopped). The
// process that started the job notices its end at once, others within 250 ms.
func (d *Dir) Wait(stop <-chan struct{}) (State, error) {
	recorded, pause := d.recorded, pollFirst
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if recorded == nil {
			s, err := d.State()
			if err != nil || s.Phase == Ended || s.Phase == Lost {
				return s, err
			}
			timer.Reset(pause)
			pause = min(pause*3/2, pollLast)
		}
		select {
		case <-stop:
			return State{}, ErrStopped
		case <-recorded:
			// If it died, its lease may be held a moment longer than its socket.
			recorded, pause = nil, time.Millisecond
		case <-timer.C:
		}
	}
}
