//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
)

// records reads what the status file holds.
func (d *Dir) records() (s Start, e Exit, ended bool, err error) {
	b, err := os.ReadFile(d.path + statusFile)
	if os.IsNotExist(err) { // it did not reach the disk before a power cut, if the directory is there
		_, err = os.Lstat(d.path)
	}
	if err != nil {
		return s, e, false, err
	}
	if len(b) < statusSize { // cut off: no record can be complete
		b = append(b, make([]byte, statusSize-len(b))...)
	}
	s, _ = decodeStart(d.id, b[startOffset:startOffset+recordSize])
	if e, ended = decodeExit(d.id, b[exitOffset:exitOffset+recordSize]); ended && !d.outputComplete(s, e) {
		e, ended = Exit{}, false
	}
	return s, e, ended, nil
}

func (d *Dir) hasEnded() bool {
	_, _, ended, err := d.records()
	return err == nil && ended
}

// outputComplete reports whether the output is there that the record describes. The disk
// takes both in any order: before a power cut the record may have reached it and the output
// not.
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
		// Some file systems record the new size of a file before they have its bytes.
		if s.Boot != bootID() && !d.hasDataAt(o.name, o.size-1) {
			return false
		}
	}
	return true
}

// hasDataAt reports whether the byte at an offset is not zero, as it would be in a hole.
func (d *Dir) hasDataAt(name string, offset int64) bool {
	fd, err := openFile(d.path+name, syscall.O_RDONLY)
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	b := make([]byte, 1)
	n, err := retry(func() (int, error) { return syscall.Pread(fd, b, offset) })
	return err == nil && n == 1 && b[0] != 0
}

// State reads the status of the job. It asks no process.
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
	case !os.IsNotExist(err): // nobody holds a lease that is gone
		return State{}, err
	}
	return d.finalState()
}

// finalState returns the state of a job whose lease nobody holds, so that nothing about
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
	// Without the request it is not known how much of the output was to be kept.
	if rerr == nil {
		s.Exit.Stdout, s.Exit.Stderr, rerr = d.Captured()
	}
	if rerr != nil {
		s.Exit.Err = rerr.Error()
	}
	return s, nil
}

// statusUntouched reports whether the status file is as Prepare made it. A damaged
// record is one that a supervisor began to write.
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
// it ended. The error is ErrLive if a process holds the lease; a job that has
// ended left nothing. Sweep may be repeated, and called by two gateways at once.
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
	return killOrphans(d.id, s.Start), nil
}

// Sync has the disk take what there is of the output and of the records by now. Whoever has
// promised all of it must not rely on the supervisor, which does so a moment after it has
// reported that the job has ended. A file that a power cut took is nothing to wait for.
func (d *Dir) Sync() error {
	for _, name := range []string{stdoutFile, stderrFile, statusFile, ""} {
		fd, err := openFile(d.path+name, syscall.O_RDONLY)
		if err == syscall.ENOENT && name != "" {
			continue
		}
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
