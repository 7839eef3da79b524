package process

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process/limits"
)

// pollSlow is the longest pause between two checks of the output: at 1 GB/s a burst after
// a silence puts 160 MB on the disk before its middle is dropped.
const pollSlow = 160 * time.Millisecond

// status is how the system says that a process ended.
type status struct {
	code   int
	signal string
	number int // of the signal
	err    error
}

func (p *Process) run() {
	ended := make(chan status, 1)
	go func() { ended <- p.child.wait() }()

	st, m := p.monitor(ended)
	p.exit.Ended = time.Now()
	p.exit.Reason = m.Reason
	p.exit.Code, p.exit.Signal, p.exit.SignalNumber = st.code, st.signal, st.number
	p.addError(m.Err)
	p.addError(st.err)

	p.exit.Swept, p.exit.Left = p.child.sweep(m.Stopped)
	if _, err := p.checkOutput(); err != nil && m.Reason != OutputLost && !errors.Is(err, errors.ErrUnsupported) {
		p.addError(err)
	}
	for _, o := range p.out {
		if o.DiskFull(st.code) {
			p.addError(fmt.Errorf("%w: the output in %s is incomplete; free some space and try again", ErrNoSpace, o.File.Name()))
			break
		}
	}
	p.exit.Stdout, p.exit.Stderr = p.out[0].Capture(), p.out[1].Capture()

	if len(p.exit.Left) == 0 {
		p.child.reap()
		close(p.done)
		return
	}
	// The result does not wait for what cannot be ended, but what can be ended a
	// little later still is. Until then the unreaped leader keeps its process id,
	// and with it the names of its group and session, from being given away.
	close(p.done)
	p.child.killLeft()
	p.child.reap()
}

func (p *Process) addError(err error) { p.exit.Err = errors.Join(p.exit.Err, err) }

// monitor returns when the leader has ended, or when it cannot be ended.
func (p *Process) monitor(ended <-chan status) (status, *limits.Monitor) {
	m := limits.NewMonitor(monitored{p}, p.lim, p.exit.Started, pollSlow)
	timer := time.NewTimer(m.Next(time.Now()))
	defer timer.Stop()
	for {
		select {
		case st := <-ended:
			return st, m
		case r := <-p.stop:
			m.Stop(r, time.Now())
		case <-timer.C:
		}
		select { // both may have been ready
		case st := <-ended:
			return st, m
		default:
		}
		if m.Check(time.Now()) {
			return status{code: -1, err: fmt.Errorf("process %d does not end although it was killed", p.child.pid)}, m
		}
		timer.Reset(m.Next(time.Now()))
	}
}

// monitored is a process as its monitor sees it.
type monitored struct{ *Process }

func (p monitored) Ended() bool                         { return p.child.ended() }
func (p monitored) Terminate()                          { p.child.terminate() }
func (p monitored) Kill()                               { p.child.kill() }
func (p monitored) CheckOutput() (grew bool, err error) { return p.checkOutput() }

// checkOutput reports whether any output grew, and keeps the cap.
func (p *Process) checkOutput() (grew bool, err error) {
	for _, o := range p.out {
		g, e := o.Check()
		switch {
		case errors.Is(e, os.ErrClosed):
			e = fmt.Errorf("%s was closed while its command ran: %w", o.File.Name(), e)
		case limits.IsDiskFull(e):
			e = errors.Join(ErrNoSpace, e)
		}
		grew, err = grew || g, errors.Join(err, e)
	}
	return grew, err
}
