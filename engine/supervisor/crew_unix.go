//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
	"time"
)

const (
	// mostIdle bounds the supervisors that wait for a job, each of which holds a
	// megabyte. Eight callers at once find theirs.
	mostIdle = 8

	// quietTime is how long a crew keeps more than one idle supervisor after its
	// last job began or ended.
	quietTime = 30 * time.Second

	// startTries bounds the attempts to find a supervisor for one job. All that were
	// idle may have been killed.
	startTries = mostIdle + 3
)

// Crew is the supervisors of a gateway. Each serves one job at a time, and another
// when nothing is left of the one before. They are no descendants of the gateway,
// so that whoever ends the gateway with all that is below it does not end its jobs.
// One that has no job ends with the gateway. Methods may be called from any goroutine.
type Crew struct {
	mutex     chan struct{} // has room for one, who may then look at what follows
	idle      []*hand       // the last to be idle is the first to be used: it is the warmest
	waiting   []chan offer  // callers without a supervisor, first come first served
	coming    int           // supervisors that have not reported yet
	launching bool
	warm      bool
	closed    bool
	members   map[*hand]bool
	used      time.Time // when a job last began or ended
	trimming  *time.Timer
	quiet     time.Duration
}

// offer answers a caller that waits.
type offer struct {
	hand *hand
	err  error
}

// NewCrew returns a crew of nobody: supervisors are started when they are needed.
func NewCrew() *Crew {
	return &Crew{mutex: make(chan struct{}, 1), members: map[*hand]bool{}, quiet: quietTime}
}

func (c *Crew) lock()   { c.mutex <- struct{}{} }
func (c *Crew) unlock() { <-c.mutex }

// Warm has a supervisor started ahead of need, now and whenever the last one that
// is idle was taken. It does not wait.
func (c *Crew) Warm() {
	c.lock()
	defer c.unlock()
	c.warm = true
	c.fill()
}

// Close ends the supervisors that are idle. Those with a job end after it, but a
// Bound job ends now. It does not wait.
func (c *Crew) Close() {
	c.lock()
	defer c.unlock()
	c.closed = true
	for h := range c.members {
		h.dismiss()
	}
	for _, w := range c.waiting {
		w <- offer{err: ErrClosed}
	}
	c.waiting, c.idle = nil, nil
	if c.trimming != nil {
		c.trimming.Stop()
	}
}

// Start has a supervisor start the prepared job and returns the process id of its
// command, for display. The environment is complete; it is handed to the supervisor
// and written nowhere. The id is 0 if the job waits for its pools, and if it was
// cancelled before: then nothing runs, and there is a record that says so. A
// *StartError too leaves a record. ErrSupervisor is all that is known of a job whose
// supervisor died when it had begun; otherwise, and with any other error, the lease
// is still here, for another attempt or for Remove.
func (c *Crew) Start(d *Dir, env []string) (pid int, err error) {
	if d.lease < 0 {
		return 0, ErrNoLease
	}
	frame, err := encodeHandover(d.path, withCookie(env, d.id))
	if err != nil {
		return 0, err
	}
	for tries := 1; ; tries++ {
		h, err := c.take()
		if err == nil {
			a := c.entrust(h, frame, d.lease)
			line := <-a.first
			c.refill()
			// One that was killed while it was idle has begun nothing: its end of the
			// socket is closed when none of its threads can do anything any more.
			if line != nil || !d.untouched() {
				d.release()
				d.told = a.told
				return d.begun(line)
			}
			err = ErrSupervisor
		}
		if err != ErrSupervisor || tries == startTries {
			return 0, err
		}
	}
}

// take returns a supervisor that is nobody else's.
func (c *Crew) take() (*hand, error) {
	c.lock()
	if c.closed {
		c.unlock()
		return nil, ErrClosed
	}
	if n := len(c.idle) - 1; n >= 0 {
		h := c.idle[n]
		c.idle = c.idle[:n]
		c.unlock()
		return h, nil
	}
	w := make(chan offer, 1)
	c.waiting = append(c.waiting, w)
	c.fill()
	c.unlock()
	o := <-w
	return o.hand, o.err
}

// entrust hands a job to a supervisor.
func (c *Crew) entrust(h *hand, frame []byte, lease int) *assignment {
	a := newAssignment()
	c.lock()
	c.used = time.Now()
	gone := h.gone
	if !gone {
		h.job = a
	}
	c.unlock()
	if gone {
		a.over()
		return a
	}
	if err := h.send(frame, lease); err != nil {
		h.sever() // what it has is not whole, so it cannot begin
	}
	return a
}

// refill readies another supervisor for the next job. It comes after the start of
// this one, which it would slow down.
func (c *Crew) refill() {
	c.lock()
	defer c.unlock()
	c.fill()
}

// fill starts the supervisors that are missing. The caller holds the mutex.
func (c *Crew) fill() {
	if !c.launching && c.missing() > 0 {
		c.launching = true
		go c.launch()
	}
}

func (c *Crew) missing() int {
	n := len(c.waiting) - len(c.idle) - c.coming
	if c.warm {
		n++
	}
	if c.closed {
		n = 0
	}
	return n
}

// launch starts supervisors until none is missing. While some are being started
// others may come to be missing: they are started together.
func (c *Crew) launch() {
	for {
		c.lock()
		n := min(c.missing(), mostAtOnce)
		if n <= 0 {
			c.launching = false
			c.unlock()
			return
		}
		c.coming += n
		c.unlock()

		hands, err := launch(n)

		c.lock()
		for _, h := range hands {
			c.members[h] = true
			if c.closed {
				h.dismiss()
			}
			go c.follow(h)
		}
		if err != nil {
			c.coming -= n
			for _, w := range c.waiting {
				w <- offer{err: err}
			}
			c.waiting, c.launching = nil, false
			c.unlock()
			return
		}
		c.unlock()
	}
}

// follow hears what a supervisor says until it ends.
func (c *Crew) follow(h *hand) {
	h.hear(func(line []byte) {
		c.lock()
		defer c.unlock()
		switch {
		case len(line) > 2 && line[0] == 'R':
			c.ready(h, line[2:])
		case len(line) > 2 && line[0] == 'F':
			n, _ := atoi(string(line[2:]))
			h.failed = os.NewSyscallError("start of the supervisor", syscall.Errno(n))
		case h.job != nil:
			h.job.hear(line)
		}
	})
	c.lock()
	h.gone = true
	delete(c.members, h)
	for i := range c.idle {
		if c.idle[i] == h {
			c.idle = append(c.idle[:i], c.idle[i+1:]...)
			break
		}
	}
	if h.job != nil {
		h.job.over()
	}
	if h.pid == 0 { // it has not even reported
		c.coming--
		c.answer(offer{err: h.failed})
	}
	if len(c.waiting) > 0 {
		c.fill()
	}
	c.unlock()
	h.bury()
}

// ready has a supervisor wait for its next job. The caller holds the mutex.
func (c *Crew) ready(h *hand, pid []byte) {
	if h.pid == 0 {
		n, _ := atoi(string(pid))
		h.pid = int(n)
		c.coming--
	}
	if h.job != nil {
		h.job.over()
		h.job = nil
	}
	if c.closed || c.answer(offer{hand: h}) {
		return
	}
	c.idle = append(c.idle, h)
	if len(c.idle) > mostIdle {
		c.idle[0].dismiss()
		c.idle = append(c.idle[:0], c.idle[1:]...)
	}
	c.used = time.Now()
	if len(c.idle) > 1 && c.trimming == nil {
		c.trimming = time.AfterFunc(c.quiet, c.trim)
	}
}

// answer gives o to the first who waits. The caller holds the mutex.
func (c *Crew) answer(o offer) bool {
	if len(c.waiting) == 0 {
		return false
	}
	c.waiting[0] <- o
	c.waiting = c.waiting[1:]
	return true
}

// trim dismisses all but one of those that had nothing to do for a while.
func (c *Crew) trim() {
	c.lock()
	defer c.unlock()
	c.trimming = nil
	if len(c.idle) < 2 {
		return
	}
	if rest := c.quiet - time.Since(c.used); rest > 0 {
		c.trimming = time.AfterFunc(rest, c.trim)
		return
	}
	for _, h := range c.idle[1:] {
		h.dismiss()
	}
	c.idle = c.idle[:1]
}
