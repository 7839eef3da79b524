//go:build !linux

package proc

// forkKeeper has nobody to tell: here we have no children but those we start.
func forkKeeper(start func() (pid int, err error)) (pid int, reaped func(), err error) {
	pid, err = start()
	return pid, func() {}, err
}
