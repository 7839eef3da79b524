//go:build linux || darwin

package supervisor

import (
	"os"
	"syscall"

	"github.com/llm-cli-gateway/gateway/engine/process/limits"
)

// The files of a job directory. The names begin with a slash, so that they can be
// appended to the path of the directory.
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
// but Remove and Pool.Start only from one.
type Dir struct {
	path, id string
	lease    int           // locked from Prepare to the start, else -1
	recorded chan struct{} // closed when our supervisor has recorded the end, or ended itself; nil if it is not ours
}

// Supported reports whether jobs can outlive the gateway on this system.
func Supported() bool { return true }

// Prepare makes the directory of j in root and takes its lease: the job counts as
// live from now on, until Pool.Start passes the lease on, Remove gives it up, or this
// process ends. A Prepare that fails leaves nothing behind.
func Prepare(root string, j Job) (*Dir, error) {
	if err := j.check(); err != nil {
		return nil, err
	}
	if !isAbs(root) { // the supervisor has another working directory
		return nil, ErrJob
	}
	j.Limits = j.Limits.WithDefaults()
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
	// The lease comes first: whoever finds the incomplete directory sees that it is live.
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
// kept. It is for a job without a record of its end, whose captures are those that count.
// A file that did not reach the disk before a power cut counts as empty.
func (d *Dir) Captured() (stdout, stderr Capture, err error) {
	r, err := d.request()
	if err != nil {
		return Capture{}, Capture{}, err
	}
	var size [2]int64
	for i, name := range []string{stdoutFile, stderrFile} {
		st, err := os.Stat(d.path + name)
		switch {
		case err == nil:
			size[i] = st.Size()
		case !os.IsNotExist(err):
			return Capture{}, Capture{}, err
		}
	}
	return limits.CaptureOf(size[0], r.Limits.Output), limits.CaptureOf(size[1], r.Limits.Output), nil
}

// OpenOutput opens the output of the job for reading. A file that did not reach the disk
// before a power cut counts as empty; without the directory the error is os.ErrNotExist.
func (d *Dir) OpenOutput() (stdout, stderr *os.File, err error) {
	if stdout, err = d.openOutput(stdoutFile); err != nil {
		return nil, nil, err
	}
	if stderr, err = d.openOutput(stderrFile); err != nil {
		stdout.Close()
		return nil, nil, err
	}
	return stdout, stderr, nil
}

func (d *Dir) openOutput(name string) (*os.File, error) {
	f, err := os.Open(d.path + name)
	if !os.IsNotExist(err) {
		return f, err
	}
	if _, err := os.Lstat(d.path); err != nil {
		return nil, err
	}
	return os.Open(os.DevNull)
}

// Remove deletes the directory, and gives up the lease of a job that was prepared
// here and not started. The directory of a job for which another process holds the lease
// is not deleted: ErrLive.
func (d *Dir) Remove() error {
	if d.lease < 0 {
		lease, err := probeLease(d.path)
		if err == syscall.EWOULDBLOCK {
			if !d.hasEnded() { // a supervisor that has written its record only cleans up
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
