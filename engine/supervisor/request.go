package supervisor

import "time"

// CookieName is the environment variable that names the job a process belongs
// to. A command has it exactly once.
const CookieName = "LLM_GATEWAY_JOB_ID"

// Job says what to run.
type Job struct {
	// ID names the job, its directory and, as a cookie, its processes: letters,
	// digits, '-' and '_'.
	ID string
	// Path is the absolute path of the executable.
	Path string
	// Args are the arguments without the program's own name.
	Args []string
	// Dir is the absolute path of the working directory.
	Dir string
	// Stdin is the whole input.
	Stdin []byte
	// Limits bound the job.
	Limits Limits
	// Leave has processes that the command leaves behind live on, if it ends by
	// itself.
	KeepDescendants bool
	// Bound has the job end with the gateway that started it: Canceled, with
	// "its gateway ended" as the detail.
	EndWithGateway bool
	// Pools are what the job needs a place in before it begins. It takes them in
	// this order, the narrowest first: whoever waits for one keeps those before it.
	Semaphores []Semaphore
}

// Semaphore lets so many jobs run at once. It is shared by all processes that name the
// same directory, and a place in it is free again when its supervisor is gone,
// whatever became of it. Who came first is served first, or nearly so.
type Semaphore struct {
	Dir  string // absolute; made when needed
	Size int
}

// Limits bounds a job. The zero value of a field means its default.
type Limits struct {
	Queue  time.Duration // waiting for its pools; default: none
	Wall   time.Duration // running; default: none
	Idle   time.Duration // time in which neither stdout nor stderr grows; default: none
	Grace  time.Duration // from SIGTERM to SIGKILL; default 5 s
	Output int64         // bytes kept per stream, half from each end; default 50 MiB
}

const (
	defaultGrace  = 5 * time.Second
	defaultOutput = 50 << 20
)

// Error is a failure that can be told by comparison.
type Error string

func (e Error) Error() string { return string(e) }

const (
	ErrUnsupported = Error("jobs that outlive the gateway are not supported on this system")
	ErrJob         = Error("invalid job: the id must be made of letters, digits, - and _; path, working directory and pools must be absolute, and pools not empty; no text may contain a NUL byte")
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
	for i := range len(j.ID) {
		c := j.ID[i]
		ok = ok && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_')
	}
	for _, a := range j.Args {
		ok = ok && !hasNUL(a)
	}
	for _, p := range j.Semaphores {
		ok = ok && isAbs(p.Dir) && !hasNUL(p.Dir) && p.Size > 0
	}
	if !ok || hasNUL(j.Path) || hasNUL(j.Dir) {
		return ErrJob
	}
	return nil
}

// isAbs is only asked where jobs are supported, and paths begin with a slash.
func isAbs(path string) bool { return len(path) > 0 && path[0] == '/' }

// request is what the request file holds.
type request struct {
	Job         // without Stdin
	Boot string // of the system that prepared the job
}

// version changes when an older reader would misunderstand a record. A new field
// that it may ignore is no reason.
const version = "1"

func (r *request) encode() []byte {
	b := appendField(nil, "keeper", version)
	b = appendField(b, "id", r.ID)
	b = appendField(b, "boot", r.Boot)
	b = appendField(b, "path", r.Path)
	b = appendField(b, "dir", r.Dir)
	for _, a := range r.Args {
		b = appendField(b, "arg", a)
	}
	for _, p := range r.Semaphores {
		b = appendField(b, "pool", itoa(int64(p.Size))+" "+p.Dir)
	}
	b = appendNumber(b, "queue", int64(r.Limits.Queue))
	b = appendNumber(b, "wall", int64(r.Limits.Wall))
	b = appendNumber(b, "idle", int64(r.Limits.Idle))
	b = appendNumber(b, "grace", int64(r.Limits.Grace))
	b = appendNumber(b, "output", r.Limits.Output)
	if r.KeepDescendants {
		b = appendField(b, "leave", "1")
	}
	if r.EndWithGateway {
		b = appendField(b, "bound", "1")
	}
	return appendNumber(b, "end", int64(len(b)))
}

// decodeRequest holds a request against its end, which gives the length of what
// is before it: of a torn one no part is believed.
func decodeRequest(b []byte) (r request, err error) {
	first, complete, at := true, false, 0
	numbers := true
	number := func(v string) int64 {
		n, ok := atoi(v)
		numbers = numbers && ok && n >= 0
		return n
	}
	ok := eachField(b, func(key, v string) bool {
		if complete || first != (key == "keeper") {
			return false
		}
		first = false
		switch key {
		case "keeper":
			if v != version {
				return false
			}
		case "id":
			r.ID = v
		case "boot":
			r.Boot = v
		case "path":
			r.Path = v
		case "dir":
			r.Dir = v
		case "arg":
			r.Args = append(r.Args, v)
		case "pool":
			size, dir := v, ""
			if n := indexByte([]byte(v), ' '); n >= 0 {
				size, dir = v[:n], v[n+1:]
			}
			r.Semaphores = append(r.Semaphores, Semaphore{dir, int(number(size))})
		case "queue":
			r.Limits.Queue = time.Duration(number(v))
		case "wall":
			r.Limits.Wall = time.Duration(number(v))
		case "idle":
			r.Limits.Idle = time.Duration(number(v))
		case "grace":
			r.Limits.Grace = time.Duration(number(v))
		case "output":
			r.Limits.Output = number(v)
		case "leave":
			r.KeepDescendants = v == "1"
		case "bound":
			r.EndWithGateway = v == "1"
		case "end":
			complete = number(v) == int64(at)
		}
		at += len(key) + len(v) + 2
		return numbers
	})
	if !ok || !complete || r.check() != nil {
		return request{}, ErrRequest
	}
	return r, nil
}
