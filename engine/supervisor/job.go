package supervisor

import (
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process/limits"
	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

// CookieName is the environment variable that names the job a process belongs
// to. A command has it exactly once.
const CookieName = proctree.CookieName

// Limits bounds a job. The zero value of a field means its default.
type Limits = limits.Limits

// Job says what to run.
type Job struct {
	// ID names the job, its directory and, as a cookie, its processes: at most 64
	// letters, digits, '-' and '_'.
	ID string
	// Path is the absolute path of the executable.
	Path string
	// Args are the arguments without the program's own name.
	Args []string
	// Dir is the absolute path of the working directory.
	Dir string
	// Stdin is the whole input.
	Stdin []byte
	// Limits bounds the job while it runs.
	Limits Limits
	// QueueTimeout bounds the wait for the semaphores; zero means no bound.
	QueueTimeout time.Duration
	// KeepDescendants lets processes live on that the command leaves behind, if it
	// ends by itself.
	KeepDescendants bool
	// EndWithGateway ends the job with the gateway that started it: Canceled, with
	// "its gateway ended" as the detail.
	EndWithGateway bool
	// Semaphores are acquired before the job begins, in this order, the one with the
	// fewest slots first: a job that waits for one holds those before it.
	Semaphores []Semaphore
}

// Semaphore bounds how many jobs run at once. All processes that name the same directory
// share it, and a slot is free again when the supervisor that holds it is gone, whatever
// became of it. Jobs get slots in about the order in which they came.
type Semaphore struct {
	Dir  string // absolute; made when needed
	Size int    // number of slots
}

// Error is an error that can be compared.
type Error string

func (e Error) Error() string { return string(e) }

const (
	ErrUnsupported = Error("jobs that outlive the gateway are not supported on this system")
	ErrJob         = Error("invalid job: the id must be made of letters, digits, - and _; path, working directory and semaphores must be absolute, and semaphores must have a slot; no text may contain a NUL byte")
	ErrNoLease     = Error("the job was not prepared here, or is started already")
	ErrRequest     = Error("the request of the job is damaged")
	ErrLive        = Error("the job is live")
	ErrEnded       = Error("the job has ended")
	ErrStopped     = Error("the wait was stopped")
	ErrSupervisor  = Error("the supervisor ended before the job began")
	ErrClosed      = Error("the gateway takes no more jobs: it is ending")
)

func (j *Job) check() error {
	ok := len(j.ID) > 0 && len(j.ID) <= 64 && isAbs(j.Path) && isAbs(j.Dir)
	for _, c := range []byte(j.ID) {
		ok = ok && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_')
	}
	for _, a := range j.Args {
		ok = ok && !hasNUL(a)
	}
	for _, s := range j.Semaphores {
		ok = ok && isAbs(s.Dir) && !hasNUL(s.Dir) && s.Size > 0
	}
	if !ok || hasNUL(j.Path) || hasNUL(j.Dir) {
		return ErrJob
	}
	return nil
}

// isAbs is only used where jobs are supported, and paths begin with a slash.
func isAbs(path string) bool { return len(path) > 0 && path[0] == '/' }

func hasNUL(s string) bool {
	_, _, found := cut(s, 0)
	return found
}
