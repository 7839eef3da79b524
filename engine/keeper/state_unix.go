//go:build linux || darwin

package keeper

import (
	"os"
	"syscall"
)

// records reads what the status file holds.
func (d *Dir) records() (s Start, e Exit, ended bool, err error) {
	b, err := os.ReadFile(d.path + statusFile)
	if err != nil {
		return s, e, false, err
	}
	if len(b) < statusSize { // cut off: no record can be whole
		b = append(b, make([]byte, statusSize-len(b))...)
	}
	s, _ = decodeStart(d.id, b[startSlot:startSlot+slotSize])
	e, ended = decodeExit(d.id, b[exitSlot:exitSlot+slotSize])
	return s, e, ended, nil
}

// State tells where the job stands. It asks no process.
func (d *Dir) State() (State, error) {
	var s State
	var ended bool
	var err error
	if s.Start, s.Exit, ended, err = d.records(); err != nil {
		return State{}, err
	}
	if ended {
		s.Phase = Ended
		return s, nil
	}
	fd, err := glance(d.path)
	switch err {
	case nil:
		defer syscall.Close(fd)
	case syscall.EWOULDBLOCK:
		s.Phase = Running
		if s.Start.Pid == 0 {
			s.Phase = Queued
		}
		s.Cancel, s.Canceling = marker(d.path)
		return s, nil
	default:
		return State{}, err
	}
	return d.settled()
}

// settled is the state of a job whose lease nobody holds, so that nothing about
// it changes any more.
func (d *Dir) settled() (s State, err error) {
	var ended bool
	if s.Start, s.Exit, ended, err = d.records(); err != nil {
		return State{}, err
	}
	if ended { // written between our first look and the lease
		s.Phase = Ended
		return s, nil
	}
	s.Phase = Lost
	s.Exit = Exit{Code: -1, Reason: SupervisorDied, Started: s.Start.At}
	s.Cancel, s.Canceling = marker(d.path)
	r, rerr := d.request()
	boot := bootID()
	switch {
	case s.Start.Boot != "" && s.Start.Boot != boot, rerr == nil && r.Boot != boot:
		s.Exit.Reason = Rebooted
	case rerr == nil && s.Start == (Start{}) && d.untouched():
		// Only on the same boot: what was written before a power cut may be missing.
		s.Exit.Reason = NeverStarted
	}
	// Without the request nobody knows how much of the output was to be kept.
	if rerr == nil {
		s.Exit.Stdout, s.Exit.Stderr, rerr = d.Captured()
	}
	if rerr != nil {
		s.Exit.Err = rerr.Error()
	}
	return s, nil
}

// untouched reports whether the status file is as Prepare made it. A damaged
// record is one that somebody began to write.
func (d *Dir) untouched() bool {
	b, err := os.ReadFile(d.path + statusFile)
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return err == nil && len(b) == statusSize
}

// Sweep ends what a dead supervisor left running and returns how many processes
// it ended. The job is live if somebody answers for it (ErrLive); one that has
// ended left nothing. It is safe to repeat, and for two gateways at once.
func (d *Dir) Sweep() (ended int, err error) {
	fd, err := glance(d.path)
	if err == syscall.EWOULDBLOCK {
		return 0, ErrLive
	}
	if err != nil {
		return 0, err
	}
	defer syscall.Close(fd)
	s, err := d.settled()
	if err != nil || s.Phase != Lost || s.Exit.Reason != SupervisorDied {
		return 0, err
	}
	return sweepLost(d.id, s.Start), nil
}
