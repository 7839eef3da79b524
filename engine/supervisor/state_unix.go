//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
)

// records reads what the status file holds.
func (d *Dir) records() (s Start, e Exit, ended bool, err error) {
	b, err := os.ReadFile(d.path + statusFile)
	if os.IsNotExist(err) { // of the directory, not all had reached the disk when the power went away
		_, err = os.Lstat(d.path)
	}
	if err != nil {
		return s, e, false, err
	}
	if len(b) < statusSize { // cut off: no record can be whole
		b = append(b, make([]byte, statusSize-len(b))...)
	}
	s, _ = decodeStart(d.id, b[startOffset:startOffset+recordSize])
	if e, ended = decodeExit(d.id, b[exitOffset:exitOffset+recordSize]); ended && !d.outputComplete(s, e) {
		e, ended = Exit{}, false
	}
	return s, e, ended, nil
}

// outputComplete reports whether there is the output of which the record tells. The disk takes
// both as it likes: a record may have reached it before the power went away, and what
// it tells of not.
func (d *Dir) outputComplete(s Start, e Exit) bool {
	for _, o := range []struct {
		name string
		size int64
	}{{stdoutFile, e.Stdout.Size}, {stderrFile, e.Stderr.Size}} {
		if o.size == 0 {
			continue
		}
		st, err := os.Stat(d.path + o.name)
		if err != nil || st.Size() < o.size {
			return false
		}
		// Some file systems note the new size of a file before they have its bytes.
		if s.Boot != bootID() && !d.hasDataAt(o.name, o.size-1) {
			return false
		}
	}
	return true
}

// hasDataAt reports whether there is a byte at an offset that is not what holes are read as.
func (d *Dir) hasDataAt(name string, at int64) bool {
	fd, err := openFile(d.path+name, syscall.O_RDONLY)
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	b := make([]byte, 1)
	n, err := retry(func() (int, error) { return syscall.Pread(fd, b, at) })
	return err == nil && n == 1 && b[0] != 0
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
	fd, err := probeLease(d.path)
	switch {
	case err == nil:
		defer syscall.Close(fd)
	case err == syscall.EWOULDBLOCK:
		s.Phase = Running
		if s.Start.Pid == 0 {
			s.Phase = Queued
		}
		s.Cancel, s.Canceling = cancelText(d.path)
		return s, nil
	case !os.IsNotExist(err): // a lease that is gone is nobody's
		return State{}, err
	}
	return d.finalState()
}

// finalState is the state of a job whose lease nobody holds, so that nothing about
// it changes any more.
func (d *Dir) finalState() (s State, err error) {
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
	s.Cancel, s.Canceling = cancelText(d.path)
	r, rerr := d.request()
	boot := bootID()
	switch {
	case s.Start.Boot != "" && s.Start.Boot != boot, rerr == nil && r.Boot != boot:
		s.Exit.Reason = Rebooted
	case rerr == nil && s.Start == (Start{}) && d.statusUntouched():
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

// statusUntouched reports whether the status file is as Prepare made it. A damaged
// record is one that somebody began to write.
func (d *Dir) statusUntouched() bool {
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
	fd, err := probeLease(d.path)
	switch {
	case err == nil:
		defer syscall.Close(fd)
	case err == syscall.EWOULDBLOCK:
		return 0, ErrLive
	case !os.IsNotExist(err):
		return 0, err
	}
	s, err := d.finalState()
	if err != nil || s.Phase != Lost || s.Exit.Reason != SupervisorDied {
		return 0, err
	}
	return sweepLost(d.id, s.Start), nil
}

// Sync has the disk take what there is of the output and of the records by now. Who has
// promised all of it must not rely on the supervisor, which does so a moment after it has
// said that the job has ended.
func (d *Dir) Sync() error {
	for _, name := range []string{stdoutFile, stderrFile, statusFile, ""} {
		fd, err := openFile(d.path+name, syscall.O_RDONLY)
		if err != nil {
			return &os.PathError{Op: "open", Path: d.path + name, Err: err}
		}
		_, err = retry(func() (int, error) { return 0, syscall.Fsync(fd) })
		syscall.Close(fd)
		if err != nil {
			return &os.PathError{Op: "fsync", Path: d.path + name, Err: err}
		}
	}
	return nil
}
