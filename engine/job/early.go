package job

import (
	"os"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/job/outcome"
	"github.com/llm-cli-gateway/gateway/engine/job/spool"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// watching looks at what one running job prints, for what ends it before its program exits.
type watching struct {
	x        execution
	settle   *extract.Settle // nil if its programs may stay
	hopeless *extract.Watch  // nil if nothing they print says that there will be no answer
	files    *spools
	out, err spool.Growing
	seen     time.Time // when what is read now was printed, at the latest
}

// newWatching watches a job of a CLI; nil if there is nothing to look for.
func newWatching(x execution, cli *catalog.CLI) *watching {
	w := &watching{x: x, settle: cli.Settle(), hopeless: cli.Watch()}
	if w.settle == nil && w.hopeless == nil {
		return nil
	}
	return w
}

// Write takes what is new of standard output.
func (w *watching) Write(b []byte) (int, error) {
	if w.settle != nil {
		w.settle.Write(b, w.seen)
	}
	if w.hopeless != nil {
		w.hopeless.Write(extract.Stdout, b)
	}
	return len(b), nil
}

// stderrOf takes what is new of standard error.
type stderrOf struct{ *extract.Watch }

func (w stderrOf) Write(b []byte) (int, error) {
	w.Watch.Write(extract.Stderr, b)
	return len(b), nil
}

// open opens what the job prints; false if it has not begun.
func (w *watching) open(now time.Time) bool {
	files, err := w.x.output()
	if err != nil {
		return false
	}
	w.files, w.out, w.err, w.seen = files, spool.Growing{File: files.stdout}, spool.Growing{File: files.stderr}, printed(files.stdout, now)
	return true
}

// look reads what is new, and ends the program if it has stayed for too long, or will give no
// answer. It reports whether it did.
func (w *watching) look(now time.Time) bool {
	if w.files == nil && !w.open(now) {
		return false
	}
	stdout, stderr, err := w.files.captured()
	if err != nil || w.out.Next(w, stdout) != nil {
		return false
	}
	if w.hopeless != nil && w.err.Next(stderrOf{w.hopeless}, stderr) != nil {
		return false
	}
	w.seen = now
	switch {
	case w.hopeless != nil && w.hopeless.Hopeless():
		return w.x.cancel(string(outcome.Watched)) == nil
	case w.settle != nil && w.settle.Settled(now):
		return w.x.cancel(string(outcome.Settled)) == nil
	}
	return false
}

// every is the time between two looks.
func (w *watching) every() time.Duration {
	every := 250 * time.Millisecond
	if w.settle != nil {
		every = min(max(w.settle.After()/8, 20*time.Millisecond), 500*time.Millisecond)
	}
	if w.hopeless != nil {
		every = min(every, 250*time.Millisecond)
	}
	return every
}

func (w *watching) close() {
	if w.files != nil {
		w.files.close()
	}
}

// printed is when something was last written to a file, or now.
func printed(f *os.File, now time.Time) time.Time {
	if info, err := f.Stat(); err == nil && info.ModTime().Before(now) {
		return info.ModTime()
	}
	return now
}

// endEarly ends the program of a job when it stays after its final record, or prints what
// says that it will give no answer. It returns when it did, or done is closed.
func endEarly(x execution, cli *catalog.CLI, done <-chan struct{}) {
	w := newWatching(x, cli)
	if w == nil {
		return
	}
	defer w.close()
	tick := time.NewTicker(w.every())
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			if w.look(now) {
				return
			}
		case <-done:
			return
		}
	}
}

// endEarlyOnce is endEarly for whoever looks at a running job of another gateway, which may
// be gone. What still prints is left alone, unless it will give no answer.
func (r *Runner) endEarlyOnce(x execution, row store.Job) {
	cli, ok := r.Current().CLI(row.CLI)
	if !ok || row.Mode == program || x.handle() != nil {
		return
	}
	w, now := newWatching(x, cli.At(row.CLIVersion)), time.Now()
	if w == nil || !w.open(now) {
		return
	}
	defer w.close()
	if w.settle != nil && now.Sub(w.seen) < w.settle.After() {
		w.settle = nil
	}
	if w.settle != nil || w.hopeless != nil {
		w.look(now)
	}
}
