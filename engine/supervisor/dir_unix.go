//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"
	"time"
)

const (
	requestFile = "/request"
	stdinFile   = "/stdin"
	stdoutFile  = "/stdout"
	stderrFile  = "/stderr"
	leaseFile   = "/lease"
	statusFile  = "/status"
	ctlFile     = "/ctl"
	cancelFile  = "/cancel"
)

// Dir is the directory of a job. Its methods may be called from any goroutine,
// but Remove and Crew.Start only from one.
type Dir struct {
	path, id string
	lease    int           // from Prepare to the start, else -1
	recorded chan struct{} // closed when our supervisor said that all is recorded, or ended; nil if it is not ours
}

// Supported reports whether jobs can outlive the gateway on this system.
func Supported() bool { return true }

// Prepare makes the directory of j in root and takes its lease: the job counts as
// live from now on, until Crew.Start hands the lease on, Remove drops it, or this
// process ends. Of a Prepare that fails nothing is left.
func Prepare(root string, j Job) (*Dir, error) {
	if err := j.check(); err != nil {
		return nil, err
	}
	if !isAbs(root) { // the supervisor will not be where we are
		return nil, ErrJob
	}
	if j.Limits.Grace <= 0 {
		j.Limits.Grace = defaultGrace
	}
	if j.Limits.Output <= 0 {
		j.Limits.Output = defaultOutput
	}
	d := &Dir{path: root + "/" + j.ID, id: j.ID, lease: -1}
	err := os.Mkdir(d.path, 0o700)
	if os.IsNotExist(err) {
		if err = os.MkdirAll(root, 0o700); err == nil {
			spreadDirs(root)
			err = os.Mkdir(d.path, 0o700)
		}
	}
	if err != nil {
		return nil, err
	}
	if err := d.writeFiles(j); err != nil {
		d.Remove()
		return nil, err
	}
	return d, nil
}

func (d *Dir) writeFiles(j Job) (err error) {
	// The lease first: who finds the directory half made sees that somebody is at it.
	if d.lease, err = lock(d.path+leaseFile, os.O_CREATE|os.O_EXCL, syscall.LOCK_EX); err != nil {
		return err
	}
	r := request{j, bootID()}
	for _, f := range []struct {
		name string
		data []byte
	}{
		{requestFile, r.encode()},
		{stdinFile, j.Stdin},
		{stdoutFile, nil},
		{stderrFile, nil},
		{statusFile, make([]byte, statusSize)},
	} {
		if err := writeNew(d.path+f.name, f.data); err != nil {
			return err
		}
	}
	return os.NewSyscallError("mkfifo", syscall.Mkfifo(d.path+ctlFile, 0o600))
}

func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// Open returns the directory of a job that Prepare made, here or elsewhere.
func Open(path string) (*Dir, error) {
	for len(path) > 1 && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	st, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		return nil, &os.PathError{Op: "open", Path: path, Err: syscall.ENOTDIR}
	}
	return &Dir{path: path, id: st.Name(), lease: -1}, nil
}

// Path is the directory; stdin, stdout and stderr in it are the files of the
// command. What else the command needs may be put there before Start.
func (d *Dir) Path() string { return d.path }

// ID is the job's.
func (d *Dir) ID() string { return d.id }

// Job returns what was prepared, without its Stdin.
func (d *Dir) Job() (Job, error) {
	r, err := d.request()
	return r.Job, err
}

func (d *Dir) request() (request, error) {
	b, err := os.ReadFile(d.path + requestFile)
	if err != nil {
		return request{}, err
	}
	r, err := decodeRequest(b)
	if err == nil && r.ID != d.id {
		err = ErrRequest
	}
	return r, err
}

// Captured returns how much output there is by now, and which bytes of it will be
// kept. It is for a job without a record of its end; a record has the last word.
func (d *Dir) Captured() (stdout, stderr Capture, err error) {
	r, err := d.request()
	if err != nil {
		return Capture{}, Capture{}, err
	}
	var size [2]int64
	for i, name := range []string{stdoutFile, stderrFile} {
		st, err := os.Stat(d.path + name)
		if err != nil {
			return Capture{}, Capture{}, err
		}
		size[i] = st.Size()
	}
	return capOutput(size[0], r.Limits.Output), capOutput(size[1], r.Limits.Output), nil
}

// Remove deletes the directory, and gives up the lease of a job that was prepared
// here and not started. The directory of a job that somebody else answers for is
// not deleted: ErrLive.
func (d *Dir) Remove() error {
	if d.lease < 0 {
		lease, err := probeLease(d.path)
		if err == syscall.EWOULDBLOCK {
			if !d.hasEnded() { // a supervisor that has written its record only tidies up
				return ErrLive
			}
		} else if err != nil && !os.IsNotExist(err) {
			return err
		}
		d.lease = lease
	}
	err := os.RemoveAll(d.path)
	d.releaseLease()
	return err
}

func (d *Dir) hasEnded() bool {
	_, _, done, err := d.records()
	return err == nil && done
}

func (d *Dir) releaseLease() {
	if d.lease >= 0 {
		syscall.Close(d.lease)
		d.lease = -1
	}
}

// lock opens a lease and locks it. The lock belongs to the open file: it lasts
// until the last process that inherited the descriptor has closed it or ended.
func lock(path string, flags, how int) (int, error) {
	fd, err := retry(func() (int, error) {
		return syscall.Open(path, syscall.O_RDWR|syscall.O_CLOEXEC|syscall.O_NOFOLLOW|flags, 0o600)
	})
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	if _, err := retry(func() (int, error) { return 0, syscall.Flock(fd, how) }); err != nil {
		syscall.Close(fd)
		return -1, err
	}
	return fd, nil
}

// probeLease fails with EWOULDBLOCK if somebody answers for the job, and else keeps
// the lease from changing. All who look share the lock, or they would take each
// other for a supervisor.
func probeLease(path string) (int, error) {
	return lock(path+leaseFile, 0, syscall.LOCK_SH|syscall.LOCK_NB)
}

func retry(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != syscall.EINTR {
			return n, err
		}
	}
}

// Cancel asks for the end of the job, in the name of nobody but the job: no
// process id is involved. It returns as soon as the request stands, and ErrEnded
// if it comes too late; a job that is not started yet will not be, and a lost one
// stays what it is. Only the text
// of the first Cancel is kept, and of that 48 bytes.
func (d *Dir) Cancel(text string) error {
	if d.hasEnded() {
		return ErrEnded
	}
	err := writeNew(d.path+cancelFile, []byte(truncateText(text, maxDetail)))
	if os.IsExist(err) {
		err = nil
	}
	// The byte comes after the marker. A supervisor opens the FIFO before it looks
	// for the marker: it misses at most one of them. It also counts alone, since on
	// a full disk there is no marker.
	fd, ferr := retry(func() (int, error) {
		return syscall.Open(d.path+ctlFile, syscall.O_WRONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	})
	if ferr == syscall.ENXIO { // nobody listens: not yet, or not any more
		if d.hasEnded() {
			return ErrEnded
		}
		return err
	}
	if ferr != nil {
		return &os.PathError{Op: "open", Path: d.path + ctlFile, Err: ferr}
	}
	defer syscall.Close(fd)
	_, ferr = retry(func() (int, error) { return syscall.Write(fd, []byte{'c'}) })
	if ferr == syscall.EAGAIN { // a full FIFO says the same
		ferr = nil
	}
	return os.NewSyscallError("write", ferr)
}

// cancelText returns the text of the Cancel, if there was one.
func cancelText(path string) (text string, ok bool) {
	b, err := os.ReadFile(path + cancelFile)
	return truncateText(string(b), maxDetail), err == nil
}

const (
	pollFirst = 20 * time.Millisecond
	pollLast  = 250 * time.Millisecond
)

// Wait waits for the end of the job, until stop is closed (ErrStopped). The
// process that started the job hears of its end at once, others within 250 ms.
func (d *Dir) Wait(stop <-chan struct{}) (State, error) {
	told, pause := d.recorded, pollFirst
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if told == nil {
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
		case <-told:
			// If it died, its lease may be held a moment longer than its pipe.
			told, pause = nil, time.Millisecond
		case <-timer.C:
		}
	}
}
