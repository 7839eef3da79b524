package load

import (
	"context"
	"errors"
	"strconv"
	"time"

	"cuelang.org/go/cue/ast"

	"github.com/llm-cli-gateway/gateway/engine/lang/cuesyntax"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// Limits bound the evaluation of one file.
type Limits struct {
	Time   time.Duration
	Memory int // megabytes (MiB)
}

// DefaultLimits hold where no setting says otherwise.
var DefaultLimits = Limits{Time: 5 * time.Second, Memory: 1024}

// Bounds of the settings; the schema has the same.
const (
	maxEvalMs = 600_000
	minEvalMb = 32
	maxEvalMb = 65_536
)

// Errors of an Evaluator, for what it ended because of a limit.
var (
	ErrTime   = errors.New("the evaluation takes too long")
	ErrMemory = errors.New("the evaluation needs too much memory")
)

// Evaluator has EvaluateFile called with f elsewhere, in a process that can be ended, and
// returns what it returns. The error is ErrTime or ErrMemory if a limit was exceeded, the
// cause of a context that ended it, or says why there is no result.
type Evaluator func(f specfiles.File, l Limits) ([]byte, error)

// Evaluation is how files are evaluated that are not plain data. The zero value evaluates
// in this process, without limits.
type Evaluation struct {
	Run    Evaluator // nil: in this process
	Layers []Layer   // whose plain data sets the limits, lowest first
}

// limitsOf are the limits that plain data in the layers sets, lowest layer first, else the
// default ones. They are read off the syntax alone: what bounds an evaluation cannot
// depend on it.
func limitsOf(layers []Layer) Limits {
	limits := DefaultLimits
	for _, layer := range layers {
		for _, f := range layer.Files {
			if root := written(f); root != nil {
				limits.Time = time.Duration(setting(root, "evalMs", int(limits.Time/time.Millisecond), int(DefaultLimits.Time/time.Millisecond), 1, maxEvalMs)) * time.Millisecond
				limits.Memory = setting(root, "evalMb", limits.Memory, DefaultLimits.Memory, minEvalMb, maxEvalMb)
			}
		}
	}
	return limits
}

// written is what can be read off the syntax of a file that may set limits; nil if nothing
// can.
func written(f specfiles.File) *node {
	if !mentions(string(f.Data), "evalMs") && !mentions(string(f.Data), "evalMb") {
		return nil
	}
	skip := func(specfiles.File, Limits) ([]byte, error) { return nil, context.Canceled }
	return parse(f, Evaluation{Run: skip}, &report{}).root
}

// setting is the value of a limit in root, or the one so far; null goes back to the
// default. What the schema refuses does not count.
func setting(root *node, name string, before, usual, least, most int) int {
	path := []string{"gateway", "specs", name}
	n, depth := root.lookup(path)
	if depth < len(path) {
		return before
	}
	value, err := strconv.Atoi(n.text)
	switch {
	case n.kind == null:
		return usual
	case n.kind == number && err == nil && value >= least && value <= most:
		return value
	}
	return before
}

// unplain reports limits that only the evaluation knows.
func unplain(written, evaluated tree, r *report) {
	for _, name := range []string{"evalMs", "evalMb"} {
		path := []string{"gateway", "specs", name}
		n, depth := evaluated.root.lookup(path)
		if depth < len(path) || n.kind == bad {
			continue
		}
		if plain, depth := written.root.lookup(path); depth < len(path) || !plain.equal(n) {
			r.add(n.at, path, "computed-limit", "must be a plain value: it bounds the evaluation of what is computed")
		}
	}
}

// away has the file of t evaluated by an Evaluator. The tree is what EvaluateFile found;
// of a file that was not evaluated to its end it is t, broken.
func (e Evaluation) away(t tree, f specfiles.File, file *ast.File, r *report) tree {
	limits := limitsOf(e.Layers)
	data, err := e.Run(f, limits)
	var found tree
	if err == nil {
		if found, err = decodeTree(data, t.src, r); err == nil {
			return found
		}
	}
	t.broken, t.unfinished = true, true
	at := pos{t.src, min(cuesyntax.Costly(file), len(t.src.data))}
	switch {
	case errors.Is(err, ErrTime):
		r.add(at, nil, "evaluation-time", "evaluating this file takes longer than %d ms", limits.Time.Milliseconds()).Hint = "compute less, or raise gateway.specs.evalMs"
	case errors.Is(err, ErrMemory):
		r.add(at, nil, "evaluation-memory", "evaluating this file needs more than %d MB of memory", limits.Memory).Hint = "compute less, or raise gateway.specs.evalMb"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		r.add(at, nil, "interrupted", "the evaluation of this file was interrupted")
	default:
		r.add(at, nil, "internal", "the evaluation of this file ended without a result: %v", err).Hint = "please report this file"
	}
	return t
}

// EvaluateFile evaluates a file in this process. The result is for the process that asked,
// which has the same file: it holds positions as offsets.
func EvaluateFile(f specfiles.File) []byte {
	r := &report{}
	return encodeTree(parse(f, Evaluation{}, r), r)
}
