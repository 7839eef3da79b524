//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
	"time"
)

const (
	// maxIdle bounds the supervisors that wait for a job, each of which holds a
	// megabyte. Eight callers at once find theirs.
	maxIdle = 8

	// idleTimeout is how long a crew keeps more than one idle supervisor after its
	// last job began or ended.
	idleTimeout = 30 * time.Second

	// maxTries bounds the attempts to find a supervisor for one job. All that were
	// idle may have been killed.
	maxTries = maxIdle + 3
)

// Pool is the supervisors of a gateway. Each serves one job at a time, and another
// when nothing is left of the one before. They are no descendants of the gateway,
// so that whoever ends the gateway with all that is below it does not end its jobs.
// One that has no job ends with the gateway. Methods may be called from any goroutine.
type Pool struct {
	mutex       chan struct{} // has room for one, who may then look at what follows
	idle        []*worker     // the last to be idle is the first to be used: it is the warmest
	waiting     []chan reply  // callers without a supervisor, first come first served
	starting    int           // supervisors that have not reported yet
	launching   bool
	warm        bool
	closed      bool
	workers     map[*worker]bool
	lastUsed    time.Time // when a job last began or ended
	trimTimer   *time.Timer
	idleTimeout time.Duration
}

// reply answers a caller that waits.
type reply struct {
	worker *worker
	err    error
}

// NewPool returns a crew of nobody: supervisors are started when they are needed.
func NewPool() *Pool {
	return &Pool{mutex: make(chan struct{}, 1), workers: map[*worker]bool{}, idleTimeout: idleTimeout}
}

func (c *Pool) lock()   { c.mutex <- struct{}{} }
func (c *Pool) unlock() { <-c.mutex }

// Warm has a supervisor started ahead of need, now and whenever the last one that
// is idle was taken. It does not wait.
func (c *Pool) Warm() {
	c.lock()
	defer c.unlock()
	c.warm = true
	c.startMissingLocked()
}

// Close ends the supervisors that are idle. Those with a job end after it, but a
// Bound job ends now. It does not wait.
func (c *Pool) Close() {
	c.lock()
	defer c.unlock()
	c.closed = true
	for h := range c.workers {
		h.retire()
	}
	for _, w := range c.waiting {
		w <- reply{err: ErrClosed}
	}
	c.waiting, c.idle = nil, nil
	if c.trimTimer != nil {
		c.trimTimer.Stop()
	}
}

// Start has a supervisor start the prepared job and returns the process id of its
// command, for display. The environment is complete; it is handed to the supervisor
// and written nowhere. The id is 0 if the job waits for its pools, and if it was
// cancelled before: then nothing runs, and there is a record that says so. A
// *StartError too leaves a record. ErrSupervisor is all that is known of a job whose
// supervisor died when it had begun; otherwise, and with any other error, the lease
// is still here, for another attempt or for Remove.
func (c *Pool) Start(d *Dir, env []string) (pid int, err error) {
	if d.lease < 0 {
		return 0, ErrNoLease
	}
	frame, err := encodeAssignment(d.path, withCookie(env, d.id))
	if err != nil {
		return 0, err
	}
	for tries := 1; ; tries++ {
		h, err := c.take()
		if err == nil {
			a := c.assign(h, frame, d.lease)
			line := <-a.first
			c.startMissing()
			// One that was killed while it was idle has begun nothing: its end of the
			// socket is closed when none of its threads can do anything any more.
			if line != nil || !d.statusUntouched() {
				d.releaseLease()
				d.recorded = a.recorded
				return d.startResult(line)
			}
			err = ErrSupervisor
		}
		if err != ErrSupervisor || tries == maxTries {
			return 0, err
		}
	}
}

// take returns a supervisor that is nobody else's.
func (c *Pool) take() (*worker, error) {
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
	w := make(chan reply, 1)
	c.waiting = append(c.waiting, w)
	c.startMissingLocked()
	c.unlock()
	o := <-w
	return o.worker, o.err
}

// assign hands a job to a supervisor.
func (c *Pool) assign(h *worker, frame []byte, lease int) *report {
	a := newReport()
	c.lock()
	c.lastUsed = time.Now()
	gone := h.gone
	if !gone {
		h.job = a
	}
	c.unlock()
	if gone {
		a.close()
		return a
	}
	if err := h.assign(frame, lease); err != nil {
		h.disconnect() // what it has is not whole, so it cannot begin
	}
	return a
}

// startMissing readies another supervisor for the next job. It comes after the start of
// this one, which it would slow down.
func (c *Pool) startMissing() {
	c.lock()
	defer c.unlock()
	c.startMissingLocked()
}

// startMissingLocked starts the supervisors that are missing. The caller holds the mutex.
func (c *Pool) startMissingLocked() {
	if !c.launching && c.missing() > 0 {
		c.launching = true
		go c.launch()
	}
}

func (c *Pool) missing() int {
	n := len(c.waiting) - len(c.idle) - c.starting
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
func (c *Pool) launch() {
	for {
		c.lock()
		n := min(c.missing(), maxBatch)
		if n <= 0 {
			c.launching = false
			c.unlock()
			return
		}
		c.starting += n
		c.unlock()

		hands, err := launch(n)

		c.lock()
		for _, h := range hands {
			c.workers[h] = true
			if c.closed {
				h.retire()
			}
			go c.track(h)
		}
		if err != nil {
			c.starting -= n
			for _, w := range c.waiting {
				w <- reply{err: err}
			}
			c.waiting, c.launching = nil, false
			c.unlock()
			return
		}
		c.unlock()
	}
}

// track hears what a supervisor says until it ends.
func (c *Pool) track(h *worker) {
	h.readLines(func(line []byte) {
		c.lock()
		defer c.unlock()
		switch {
		case len(line) > 2 && line[0] == 'R':
			c.ready(h, line[2:])
		case len(line) > 2 && line[0] == 'F':
			n, _ := atoi(string(line[2:]))
			h.failed = os.NewSyscallError("start of the supervisor", syscall.Errno(n))
		case h.job != nil:
			h.job.receive(line)
		}
	})
	c.lock()
	h.gone = true
	delete(c.workers, h)
	for i := range c.idle {
		if c.idle[i] == h {
			c.idle = append(c.idle[:i], c.idle[i+1:]...)
			break
		}
	}
	if h.job != nil {
		h.job.close()
	}
	if h.pid == 0 { // it has not even reported
		c.starting--
		c.sendReply(reply{err: h.failed})
	}
	if len(c.waiting) > 0 {
		c.startMissingLocked()
	}
	c.unlock()
	h.reap()
}

// ready has a supervisor wait for its next job. The caller holds the mutex.
func (c *Pool) ready(h *worker, pid []byte) {
	if h.pid == 0 {
		n, _ := atoi(string(pid))
		h.pid = int(n)
		c.starting--
	}
	if h.job != nil {
		h.job.close()
		h.job = nil
	}
	if c.closed || c.sendReply(reply{worker: h}) {
		return
	}
	c.idle = append(c.idle, h)
	if len(c.idle) > maxIdle {
		c.idle[0].retire()
		c.idle = append(c.idle[:0], c.idle[1:]...)
	}
	c.lastUsed = time.Now()
	if len(c.idle) > 1 && c.trimTimer == nil {
		c.trimTimer = time.AfterFunc(c.idleTimeout, c.trim)
	}
}

// sendReply gives o to the first who waits. The caller holds the mutex.
func (c *Pool) sendReply(o reply) bool {
	if len(c.waiting) == 0 {
		return false
	}
	c.waiting[0] <- o
	c.waiting = c.waiting[1:]
	return true
}

// trim dismisses all but one of those that had nothing to do for a while.
func (c *Pool) trim() {
	c.lock()
	defer c.unlock()
	c.trimTimer = nil
	if len(c.idle) < 2 {
		return
	}
	if rest := c.idleTimeout - time.Since(c.lastUsed); rest > 0 {
		c.trimTimer = time.AfterFunc(rest, c.trim)
		return
	}
	for _, h := range c.idle[1:] {
		h.retire()
	}
	c.idle = c.idle[:1]
}
