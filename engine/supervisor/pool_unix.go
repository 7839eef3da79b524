//go:build linux || darwin

package supervisor

import (
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

const (
	// maxIdle bounds the supervisors that wait for a job, each of which holds a
	// megabyte. Eight callers at once find an idle one.
	maxIdle = 8

	// idleTimeout is how long a pool keeps more than one idle supervisor after its
	// last job began or ended.
	idleTimeout = 30 * time.Second

	// maxTries bounds the attempts to find a supervisor for one job. All that were
	// idle may have been killed.
	maxTries = maxIdle + 3
)

// Pool starts the supervisors of a gateway and assigns jobs to them. Each serves one job
// at a time, and another when nothing is left of the one before. They are no descendants
// of the gateway, so that whoever ends the gateway with all that is below it does not end
// its jobs. One that has no job ends with the gateway. Methods may be called from any
// goroutine.
type Pool struct {
	mutex       chan struct{} // holds a value while the fields below are in use
	idle        []*worker     // the last to become idle is used first: its caches are warm
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

// reply is what a caller that waits for a supervisor gets.
type reply struct {
	worker *worker
	err    error
}

// NewPool returns an empty pool: supervisors are started when they are needed.
func NewPool() *Pool {
	return &Pool{mutex: make(chan struct{}, 1), workers: map[*worker]bool{}, idleTimeout: idleTimeout}
}

func (p *Pool) lock()   { p.mutex <- struct{}{} }
func (p *Pool) unlock() { <-p.mutex }

// Warm has a supervisor started ahead of need, now and whenever the last idle one was
// taken. It does not wait.
func (p *Pool) Warm() {
	p.lock()
	defer p.unlock()
	p.warm = true
	p.startMissingLocked()
}

// Close ends the supervisors that are idle. Those with a job end after it, but an
// EndWithGateway job ends now. It does not wait.
func (p *Pool) Close() {
	p.lock()
	defer p.unlock()
	p.closed = true
	for w := range p.workers {
		w.retire()
	}
	for _, c := range p.waiting {
		c <- reply{err: ErrClosed}
	}
	p.waiting, p.idle = nil, nil
	if p.trimTimer != nil {
		p.trimTimer.Stop()
	}
}

// Start has a supervisor start the prepared job and returns the process id of its
// command, for display. The environment is complete; it is sent to the supervisor
// and written nowhere. The id is 0 if the job waits for its semaphores, and if it was
// cancelled before: then nothing runs, and there is a record that says so. A
// *StartError too leaves a record. ErrSupervisor is all that is known of a job whose
// supervisor died when it had begun; otherwise, and with any other error, the lease
// is still here, for another attempt or for Remove.
func (p *Pool) Start(d *Dir, env []string) (pid int, err error) {
	if d.lease < 0 {
		return 0, ErrNoLease
	}
	frame, err := encodeAssignment(d.path, proctree.WithCookie(env, d.id))
	if err != nil {
		return 0, err
	}
	for tries := 1; ; tries++ {
		w, err := p.take()
		if err == nil {
			r := p.assign(w, frame, d.lease)
			line := <-r.first
			p.startMissing()
			// A supervisor that was killed while it was idle has begun nothing: its end of
			// the socket is closed when none of its threads can do anything any more.
			if line != "" || !d.statusUntouched() {
				d.releaseLease()
				d.recorded = r.recorded
				return startResult(line)
			}
			err = ErrSupervisor
		}
		if err != ErrSupervisor || tries == maxTries {
			return 0, err
		}
	}
}

// take returns a supervisor that no other caller has.
func (p *Pool) take() (*worker, error) {
	p.lock()
	if p.closed {
		p.unlock()
		return nil, ErrClosed
	}
	if n := len(p.idle) - 1; n >= 0 {
		w := p.idle[n]
		p.idle = p.idle[:n]
		p.unlock()
		return w, nil
	}
	c := make(chan reply, 1)
	p.waiting = append(p.waiting, c)
	p.startMissingLocked()
	p.unlock()
	r := <-c
	return r.worker, r.err
}

// assign gives a job to a supervisor.
func (p *Pool) assign(w *worker, frame []byte, lease int) *report {
	r := newReport()
	p.lock()
	p.lastUsed = time.Now()
	gone := w.gone
	if !gone {
		w.job = r
	}
	p.unlock()
	if gone {
		r.close()
		return r
	}
	if err := w.assign(frame, lease); err != nil {
		w.disconnect() // what it has is incomplete, so it cannot begin
	}
	return r
}

// startMissing starts another supervisor for the next job. It comes after the start of
// this one, which it would slow down.
func (p *Pool) startMissing() {
	p.lock()
	defer p.unlock()
	p.startMissingLocked()
}

// startMissingLocked starts the supervisors that are missing. The caller holds the mutex.
func (p *Pool) startMissingLocked() {
	if !p.launching && p.missing() > 0 {
		p.launching = true
		go p.launch()
	}
}

func (p *Pool) missing() int {
	n := len(p.waiting) - len(p.idle) - p.starting
	if p.warm {
		n++
	}
	if p.closed {
		n = 0
	}
	return n
}

// launch starts supervisors until none is missing. More may be missing by the time that
// some are started: those are started together.
func (p *Pool) launch() {
	for {
		p.lock()
		n := min(p.missing(), maxBatch)
		if n <= 0 {
			p.launching = false
			p.unlock()
			return
		}
		p.starting += n
		p.unlock()

		workers, err := launch(n)

		p.lock()
		for _, w := range workers {
			p.workers[w] = true
			if p.closed {
				w.retire()
			}
			go p.track(w)
		}
		if err != nil {
			p.starting -= n
			for _, c := range p.waiting {
				c <- reply{err: err}
			}
			p.waiting, p.launching = nil, false
			p.unlock()
			return
		}
		p.unlock()
	}
}

// track handles what a supervisor reports until it ends.
func (p *Pool) track(w *worker) {
	w.readLines(func(line string) {
		p.lock()
		defer p.unlock()
		kind, rest, _ := cut(line, ' ')
		switch {
		case kind == "R" && rest != "":
			p.ready(w, rest)
		case kind == "F" && rest != "":
			n, _ := strconv.Atoi(rest)
			w.failed = os.NewSyscallError("start of the supervisor", syscall.Errno(n))
		case w.job != nil:
			w.job.receive(line)
		}
	})
	p.lock()
	w.gone = true
	delete(p.workers, w)
	if i := slices.Index(p.idle, w); i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
	}
	if w.job != nil {
		w.job.close()
	}
	if w.pid == 0 { // it has not even reported
		p.starting--
		p.sendReply(reply{err: w.failed})
	}
	if len(p.waiting) > 0 {
		p.startMissingLocked()
	}
	p.unlock()
	w.reap()
}

// ready makes a supervisor available for its next job. The caller holds the mutex.
func (p *Pool) ready(w *worker, pid string) {
	if w.pid == 0 {
		w.pid, _ = strconv.Atoi(pid)
		p.starting--
	}
	if w.job != nil {
		w.job.close()
		w.job = nil
	}
	if p.closed || p.sendReply(reply{worker: w}) {
		return
	}
	p.idle = append(p.idle, w)
	if len(p.idle) > maxIdle {
		p.idle[0].retire()
		p.idle = slices.Delete(p.idle, 0, 1)
	}
	p.lastUsed = time.Now()
	if len(p.idle) > 1 && p.trimTimer == nil {
		p.trimTimer = time.AfterFunc(p.idleTimeout, p.trim)
	}
}

// sendReply gives r to the first caller that waits, and reports whether there is one. The
// caller holds the mutex.
func (p *Pool) sendReply(r reply) bool {
	if len(p.waiting) == 0 {
		return false
	}
	p.waiting[0] <- r
	p.waiting = p.waiting[1:]
	return true
}

// trim ends all but one of the supervisors that had nothing to do for a while.
func (p *Pool) trim() {
	p.lock()
	defer p.unlock()
	p.trimTimer = nil
	if len(p.idle) < 2 {
		return
	}
	if rest := p.idleTimeout - time.Since(p.lastUsed); rest > 0 {
		p.trimTimer = time.AfterFunc(rest, p.trim)
		return
	}
	for _, w := range p.idle[1:] {
		w.retire()
	}
	p.idle = p.idle[:1]
}
