package job

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// Each attempt of a job has a directory of its own: that of the first has the name of the job.

// attemptName is the name of the directory of an attempt.
func attemptName(id string, n int) string {
	if n <= 1 {
		return id
	}
	return id + attemptMark + strconv.Itoa(n)
}

const attemptMark = "-"

// jobOf is the job of the name of a directory.
func jobOf(name string) string {
	id, _, _ := strings.Cut(name, attemptMark)
	return id
}

// lastAttempt is the directory of the last attempt of a job.
func (r *Runner) lastAttempt(id string) string {
	path := filepath.Join(r.folder(), id)
	for n := 2; ; n++ {
		next := filepath.Join(r.folder(), attemptName(id, n))
		if _, err := os.Lstat(next); err != nil {
			return path
		}
		path = next
	}
}

// discard removes the directories of a job, the last first: what is left is found by the first.
func (r *Runner) discard(id string) error {
	for {
		path := r.lastAttempt(id)
		dir, err := supervisor.Open(path)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, supervisor.ErrUnsupported) {
			return nil
		}
		if err == nil {
			err = dir.Remove()
		}
		if err != nil || filepath.Base(path) == id {
			return err
		}
	}
}
