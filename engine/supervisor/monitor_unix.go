//go:build linux || darwin

package supervisor

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process/limits"
	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

// checkSlow is the longest pause between two checks of the output: what an idle supervisor
// costs, and the time that a burst after a silence has before its middle is dropped.
const checkSlow = 250 * time.Millisecond

// monitor returns when the command has ended, or when it cannot be ended. It reports
// whether the command was asked to end. The reason is decided by whichever comes first:
// the end, a cancel, a limit.
func (s *supervisor) monitor() (asked bool) {
	m := limits.NewMonitor(monitored{s}, s.req.Limits, s.exit.Started, checkSlow)
	stop := func(r Reason, detail string) {
		if m.Stop(r, time.Now()) {
			s.exit.Detail = detail
		}
	}
	timer := time.NewTimer(m.Next(time.Now()))
	defer timer.Stop()
	gone := s.gatewayGone()
	for !s.reaped {
		select {
		case sig := <-s.sigs:
			stop(SupervisorSignal, sig.String())
		case <-s.ctl:
			text, _ := cancelText(s.path)
			stop(Canceled, text)
		case <-gone:
			gone = nil
			stop(Canceled, gatewayEndedDetail)
		case <-s.child:
		case <-timer.C:
		}
		if s.reap(); s.reaped {
			break
		}
		if m.Check(time.Now()) {
			s.addError(os.NewSyscallError("kill", syscall.ETIMEDOUT))
			break
		}
		timer.Reset(m.Next(time.Now()))
	}
	s.exit.Reason = m.Reason
	s.addError(m.Err)
	return m.Stopped
}

// monitored is a supervisor as the monitor of its command sees it.
type monitored struct{ *supervisor }

func (s monitored) Ended() bool {
	s.reap()
	return s.reaped
}

func (s monitored) Terminate()                          { proctree.Terminate(s.pid, s.members()) }
func (s monitored) Kill()                               { proctree.Kill(s.pid, s.members()) }
func (s monitored) CheckOutput() (grew bool, err error) { return s.checkOutput() }

// gatewayGone is closed when an EndWithGateway job has to end; it is nil for others.
func (s *supervisor) gatewayGone() <-chan struct{} {
	if s.req.EndWithGateway {
		return s.gone
	}
	return nil
}

// finish ends what the command left behind and completes the record. Processes that were
// asked to end before are not asked again.
func (s *supervisor) finish(asked bool) {
	s.exit.Ended = time.Now()
	if asked || !s.req.KeepDescendants {
		s.sweeper = proctree.NewSweeper(s.pid, s.remaining)
		swept, left := s.sweeper.Sweep(asked)
		s.exit.Swept, s.exit.Left = swept, len(left)
	}
	if _, err := s.checkOutput(); err != nil && s.exit.Reason != OutputLost && !errors.Is(err, errors.ErrUnsupported) {
		s.addError(err)
	}
	for _, o := range s.out {
		s.exit.DiskFull = s.exit.DiskFull || o.DiskFull(s.exit.Code)
	}
	s.exit.Stdout, s.exit.Stderr = s.out[0].Capture(), s.out[1].Capture()
}

// reap reaps all children that ended, ours and those adopted, and reports whether
// any child is left. Adopted ones are reaped at once, because a script that waits for
// its daemon with kill -0 takes an unreaped one for alive.
func (s *supervisor) reap() (some bool) {
	for {
		var ws syscall.WaitStatus
		pid, err := retry(func() (int, error) { return syscall.Wait4(-1, &ws, syscall.WNOHANG, nil) })
		switch {
		case err != nil:
			return false
		case pid == 0:
			return true
		case pid == s.pid:
			s.reaped = true
			s.exit.Code, s.exit.Signal = ws.ExitStatus(), 0
			if ws.Signaled() {
				s.exit.Code, s.exit.Signal = -1, int(ws.Signal())
			}
		}
	}
}

// checkOutput reports whether any output grew, and keeps the cap.
func (s *supervisor) checkOutput() (grew bool, err error) {
	for _, o := range s.out {
		g, e := o.Check()
		grew = grew || g
		if err == nil {
			err = e
		}
	}
	return grew, err
}
