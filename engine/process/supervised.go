package process

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// StartSupervised has a supervisor of pool start the job that was prepared in d, so that it
// outlives this process, and returns the process id of its command, for display; it
// is 0 if the job waits for its semaphores or was cancelled before. env is complete; a
// CookieName in it is replaced. Errors are those of Start.
func StartSupervised(pool *supervisor.Pool, d *supervisor.Dir, env []string) (pid int, err error) {
	pid, err = pool.Start(d, env)
	if err == nil {
		return pid, nil
	}
	errno := syscall.Errno(0)
	if failed := (*supervisor.StartError)(nil); errors.As(err, &failed) && failed.Errno != 0 {
		errno = syscall.Errno(failed.Errno)
	} else if !errors.As(err, &errno) {
		return 0, err
	}
	j, jerr := d.Job()
	if jerr != nil {
		return 0, errors.Join(err, jerr)
	}
	return 0, explain(Command{Path: j.Path, Args: j.Args, Env: env, Dir: j.Dir}, errno)
}

// SupervisedExit returns how a job under a supervisor ended as the Exit of a command; of a
// lost job it has what there is. Reasons that only a supervisor gives stay as they are.
func SupervisedExit(e supervisor.Exit) Exit {
	exit := Exit{
		Code: e.Code, Signal: signalName(e.Signal), SignalNumber: e.Signal, Reason: e.Reason, Stdout: e.Stdout, Stderr: e.Stderr,
		Started: e.Started, Ended: e.Ended, Swept: e.Swept,
	}
	if e.DiskFull {
		exit.Err = ErrNoSpace
	}
	if e.Err != "" {
		exit.Err = errors.Join(exit.Err, errors.New(e.Err))
	}
	if e.Left > 0 {
		exit.Err = errors.Join(exit.Err, fmt.Errorf("%d processes could not be ended", e.Left))
	}
	return exit
}
