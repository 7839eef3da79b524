//go:build !linux && !darwin

package supervisor

import (
	"os"
	"time"
)

// EnclosingJobs finds no jobs on this system.
func EnclosingJobs() []string { return nil }

// Dir is the directory of a job. On this system there is none.
type Dir struct{}

// Pool has no supervisors on this system.
type Pool struct{}

func NewPool() *Pool                                            { return &Pool{} }
func (p *Pool) Warm()                                           {}
func (p *Pool) Close()                                          {}
func (p *Pool) Start(d *Dir, env []string) (pid int, err error) { return 0, ErrUnsupported }

// SweepSemaphores has nothing to remove on this system.
func SweepSemaphores(root string, olderThan time.Time) (removed int, err error) { return 0, nil }

// Supported reports whether jobs can outlive the gateway on this system.
func Supported() bool { return false }

// Prepare fails with ErrUnsupported, like all that follows.
func Prepare(root string, j Job) (*Dir, error) { return nil, ErrUnsupported }

func Open(path string) (*Dir, error) { return nil, ErrUnsupported }

func (d *Dir) Path() string      { return "" }
func (d *Dir) ID() string        { return "" }
func (d *Dir) Job() (Job, error) { return Job{}, ErrUnsupported }
func (d *Dir) Captured() (stdout, stderr Capture, err error) {
	return Capture{}, Capture{}, ErrUnsupported
}
func (d *Dir) OpenOutput() (stdout, stderr *os.File, err error) { return nil, nil, ErrUnsupported }
func (d *Dir) State() (State, error)                            { return State{}, ErrUnsupported }
func (d *Dir) Wait(stop <-chan struct{}) (State, error)         { return State{}, ErrUnsupported }
func (d *Dir) Cancel(text string) error                         { return ErrUnsupported }
func (d *Dir) Sweep() (ended int, err error)                    { return 0, ErrUnsupported }
func (d *Dir) Sync() error                                      { return ErrUnsupported }
func (d *Dir) Remove() error                                    { return ErrUnsupported }
