package supervisor

import (
	"strconv"
	"time"
)

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
	for _, s := range r.Semaphores {
		b = appendField(b, "pool", strconv.Itoa(s.Size)+" "+s.Dir)
	}
	b = appendNumber(b, "queue", int64(r.QueueTimeout))
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

// decodeRequest compares the length of a request with its last field, which is the length
// of what is before it: of a request that was cut off no part is believed.
func decodeRequest(b []byte) (r request, err error) {
	first, complete, offset := true, false, 0
	numbers := true // all that should be are
	number := func(v string) int64 {
		n, err := strconv.ParseInt(v, 10, 64)
		numbers = numbers && err == nil && n >= 0
		return n
	}
	ok := eachField(string(b), func(key, v string) bool {
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
			size, dir, _ := cut(v, ' ')
			r.Semaphores = append(r.Semaphores, Semaphore{dir, int(number(size))})
		case "queue":
			r.QueueTimeout = time.Duration(number(v))
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
			complete = number(v) == int64(offset)
		}
		offset += len(key) + len(v) + 2
		return numbers
	})
	if !ok || !complete || r.check() != nil {
		return request{}, ErrRequest
	}
	return r, nil
}
