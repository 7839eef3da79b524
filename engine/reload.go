package engine

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/compat"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/evaluate"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/tools"
	"github.com/llm-cli-gateway/gateway/specs"
)

// reloading is what a gateway knows of its specs from one load to the next.
type reloading struct {
	mu     sync.Mutex // held by a load
	memory load.Memory
	seen   [sha256.Size]byte // sum of what was read last
	files  map[string]int    // bytes of each file then

	folders []folder // of the catalog in force

	accepted   atomic.Bool // a person wants what is there, also if it widens
	status     atomic.Pointer[tools.Status]
	underway   atomic.Pointer[underway] // the reload that has not ended; nil: none
	evaluating atomic.Pointer[tools.Evaluating]
}

// underway is a reload that has not ended.
type underway struct {
	seen   [sha256.Size]byte // sum of what it read; zero until it has
	cancel context.CancelCauseFunc
}

// errSuperseded ends a reload of what is not there any more.
var errSuperseded = errors.New("superseded by a newer change")

// load is the first one.
func (e *Engine) load(ctx context.Context) load.Result {
	e.loads.folders = readFolders(e.options.Specs)
	layers, found := layered(e.loads.folders)
	e.loads.seen, e.loads.files = sumOf(layers, found), sizes(layers)
	if len(layers) > 1 {
		e.loads.memory.Restore(verifiedSpecs())
		e.loads.memory.RestoreEvaluated(evaluatedSpecs())
	}
	res := e.compile(ctx, layers, found)
	if res.Catalog != nil {
		e.loads.status.Store(&tools.Status{Digest: res.Catalog.Digest(), Since: time.Now(), Files: told(layers), Warnings: lines(res.Diagnostics)})
	}
	return res
}

// verifiedSpecs is the file by which a start does not verify again what did not change.
func verifiedSpecs() string { return filepath.Join(StateDir(), "verified-specs") }

// evaluatedSpecs is the file by which a start does not evaluate again what did not change.
func evaluatedSpecs() string { return filepath.Join(StateDir(), "evaluated-specs") }

// remember saves for the next start what the last load verified and had evaluated.
func (e *Engine) remember() {
	if err := errors.Join(e.loads.memory.Save(verifiedSpecs()), e.loads.memory.SaveEvaluated(evaluatedSpecs())); err != nil {
		e.logger().Debug("the next start has to verify the specs again", "error", err)
	}
}

func (e *Engine) compile(ctx context.Context, layers []load.Layer, found []diagnostic.Diagnostic) load.Result {
	process := evaluate.New(ctx, e.evaluating)
	defer process.Close()
	return finish(ctx, layers, found, load.Options{Environ: e.options.Environ, Snapshot: specs.Snapshot(), Memory: &e.loads.memory, Evaluator: process.Evaluate})
}

// long is the time after which the evaluation of a file is worth a word in the log.
const long = time.Second

// evaluating notes that a file is being evaluated, until done is called.
func (e *Engine) evaluating(file string, l load.Limits) (done func()) {
	e.loads.evaluating.Store(&tools.Evaluating{File: file, Since: time.Now(), LimitMs: l.Time.Milliseconds(), LimitMb: l.Memory})
	slow := time.AfterFunc(long, func() {
		e.logger().Warn("the evaluation of a spec file takes long", "file", file, "limit", l.Time)
	})
	return func() {
		slow.Stop()
		e.loads.evaluating.Store(nil)
	}
}

// Status tells which specs are in force, and what there is to say of those that are not.
func (e *Engine) Status() tools.Status {
	status := *e.loads.status.Load()
	status.Evaluating = e.loads.evaluating.Load()
	return status
}

// supersede ends a reload that is under way if what it read is not there any more.
func (e *Engine) supersede() {
	u := e.loads.underway.Load()
	if u == nil {
		return
	}
	if sum := sumOf(layers(e.options.Specs)); sum != u.seen {
		u.cancel(errSuperseded)
	}
}

// Accept makes the next look at the specs take what is there, as a person wishes who was
// told of it.
func (e *Engine) Accept() {
	e.loads.accepted.Store(true)
	select {
	case e.now <- struct{}{}:
	default: // a look is on its way
	}
}

// Reload reads the specs again and reports whether others are in force now. Where they
// cannot be used, or widen what calls may do and have to wait, those before stay, and the
// status says why. A call keeps what it began with.
func (e *Engine) Reload() bool { return e.reload(context.Background()) }

// reload is Reload, which changes nothing if ctx ends or a newer change is seen while a
// file is evaluated.
func (e *Engine) reload(ctx context.Context) bool {
	e.loads.mu.Lock()
	defer e.loads.mu.Unlock()
	mode := e.Catalog().Settings.Reload
	accepted := e.loads.accepted.Swap(false)
	if mode == lang.ReloadOff && !accepted {
		return false
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	e.loads.underway.Store(&underway{cancel: cancel})
	defer e.loads.underway.Store(nil)
	now := e.settled()
	seen := sumOf(layered(now))
	e.loads.underway.Store(&underway{seen, cancel})
	status := e.Status()
	if seen == e.loads.seen && (!accepted || status.Held == nil && len(status.Lost) == 0) {
		return false
	}
	res, used, lost := e.compileKept(ctx, now, accepted)
	if ctx.Err() != nil {
		e.loads.accepted.CompareAndSwap(false, accepted)
		e.logger().Info("the specs were not read to their end", "reason", context.Cause(ctx))
		return false
	}
	read, _ := layered(now)
	layers, _ := layered(used)
	e.loads.seen, e.loads.files = seen, sizes(read)
	status.Failed, status.Held, status.Lost = nil, nil, lost
	defer func() { e.loads.status.Store(&status) }()
	if res.Catalog == nil {
		status.Failed = &tools.Failed{Time: time.Now(), Problems: lines(res.Diagnostics)}
		e.logger().Error("the changed specs are invalid; the previous ones stay in effect", "problems", len(status.Failed.Problems), "first", status.Failed.Problems[0])
		return false
	}
	before := e.Catalog()
	changes := compat.Diff(before, res.Catalog)
	widening := widenings(changes)
	if mode == lang.ReloadHold && len(widening) > 0 && !accepted {
		status.Held = &tools.Held{Time: time.Now(), Digest: res.Catalog.Digest(), Changes: widening}
		e.logger().Warn("the changed specs widen what calls may do, so they wait for a person (SIGHUP or a restart); the previous ones stay in effect", "changes", widening)
		return false
	}
	for _, text := range widening {
		e.logger().Warn("the specs widen what calls may do", "change", text)
	}
	for _, warning := range lines(res.Diagnostics) {
		if !slices.Contains(status.Warnings, warning) {
			e.logger().Warn("specs reloaded", "warning", warning)
		}
	}
	e.loads.folders = used
	status.Files, status.Warnings = told(layers), lines(res.Diagnostics)
	if res.Catalog.Digest() == before.Digest() {
		return false // other words for the same
	}
	e.take(res.Catalog)
	status.Digest, status.Since = res.Catalog.Digest(), time.Now()
	status.Reloads++
	status.Restart = e.fixed(res.Catalog.Settings)
	e.logger().Info("specs reloaded", "digest", status.Digest, "changes", len(changes))
	for _, setting := range status.Restart {
		e.logger().Warn("a setting needs a restart", "setting", setting)
	}
	return true
}

// take puts a catalog in force.
func (e *Engine) take(c *catalog.Catalog) {
	e.Tools.Runner.Host.Configure(c.Settings.Path, c.Settings.EnvFile)
	e.catalog.Store(c)
	if e.options.Applied != nil {
		e.options.Applied(c.Settings)
	}
}

// fixed are the settings that are not as the gateway found them when it started, where
// only then they count: a database that is open is not left.
func (e *Engine) fixed(s lang.Settings) (waiting []string) {
	if s.LogsDB != e.started.LogsDB {
		waiting = append(waiting, "gateway.logsDb")
	}
	if s.Jobs.DB != e.started.Jobs.DB {
		waiting = append(waiting, "gateway.jobs.db")
	}
	return waiting
}

// Bounds of waiting for whoever empties a file before writing it.
const (
	writing = 50 * time.Millisecond
	patient = 20
)

// settled reads the specs. A file that was just emptied is likely to be written to in the
// next moment; an editor that saves in place does so.
func (e *Engine) settled() (now []folder) {
	for range patient {
		now = readFolders(e.options.Specs)
		if layers, _ := layered(now); !e.emptied(layers) {
			break
		}
		time.Sleep(writing)
	}
	return now
}

func (e *Engine) emptied(layers []load.Layer) bool {
	for name, size := range sizes(layers) {
		if size == 0 && e.loads.files[name] > 0 {
			return true
		}
	}
	return false
}

func sizes(layers []load.Layer) map[string]int {
	out := map[string]int{}
	for _, l := range layers {
		for _, f := range l.Files {
			out[f.Name] = len(f.Data)
		}
	}
	return out
}

// sumOf is equal for reads that cannot give different catalogs.
func sumOf(layers []load.Layer, found []diagnostic.Diagnostic) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, l := range layers {
		fmt.Fprintf(h, "%q\n", l.Name)
		for _, f := range l.Files {
			fmt.Fprintf(h, "%q %d\n", f.Name, len(f.Data))
			h.Write(f.Data)
		}
	}
	for _, d := range found {
		fmt.Fprintln(h, d)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// told are the files of all layers but the one that the binary carries.
func told(layers []load.Layer) []tools.SpecFile {
	files := []tools.SpecFile{}
	for _, l := range layers[1:] {
		for _, f := range l.Files {
			files = append(files, tools.SpecFile{Name: f.Name, SHA256: fmt.Sprintf("%x", sha256.Sum256(f.Data))})
		}
	}
	return files
}

func lines(diags []diagnostic.Diagnostic) (out []string) {
	for _, d := range diags {
		out = append(out, d.String())
	}
	return out
}

func widenings(changes []compat.Change) (out []string) {
	for _, c := range changes {
		if c.Kind == compat.Widening {
			out = append(out, c.String())
		}
	}
	return slices.Compact(out)
}
