// Package early ends programs of jobs before they exit: those that stay after their final record,
// and those that print what says that there will be no answer.
//
// It hides how what a program prints is followed. It must not know how a job is run, nor what
// its end means.
package early

import (
	"os"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/job/outcome"
	"github.com/llm-cli-gateway/gateway/engine/job/spool"
)

// Execution is a running job.
type Execution interface {
	// Output opens what the job printed; it fails as long as that has not begun.
	Output() (*spool.Output, error)
	// Cancel ends the job, for a reason.
	Cancel(by string) error
}

// watching looks at what one running job prints, for what ends it before its program exits.
type watching struct {
	x        Execution
	settle   *extract.Settle // nil if its programs may stay
	hopeless *extract.Watch  // nil if nothing they print says that there will be no answer
	files    *spool.Output
	out, err spool.Growing
	seen     time.Time // when what is read now was printed, at the latest
}

// newWatching watches a job of a CLI; nil if there is nothing to look for.
func newWatching(x Execution, cli *catalog.CLI) *watching {
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
	files, err := w.x.Output()
	if err != nil {
		return false
	}
	w.files, w.out, w.err, w.seen = files, spool.Growing{File: files.Stdout}, spool.Growing{File: files.Stderr}, printed(files.Stdout, now)
	return true
}

// look reads what is new, and ends the program if it has stayed for too long, or will give no
// answer. It reports whether it did.
func (w *watching) look(now time.Time) bool {
	if w.files == nil && !w.open(now) {
		return false
	}
	stdout, stderr, err := w.files.Captured()
	if err != nil || w.out.Next(w, stdout) != nil {
		return false
	}
	if w.hopeless != nil && w.err.Next(stderrOf{w.hopeless}, stderr) != nil {
		return false
	}
	w.seen = now
	switch {
	case w.hopeless != nil && w.hopeless.Hopeless():
		return w.x.Cancel(string(outcome.Watched)) == nil
	case w.settle != nil && w.settle.Settled(now):
		return w.x.Cancel(string(outcome.Settled)) == nil
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
		w.files.Close()
	}
}

// printed is when something was last written to a file, or now.
func printed(f *os.File, now time.Time) time.Time {
	if info, err := f.Stat(); err == nil && info.ModTime().Before(now) {
		return info.ModTime()
	}
	return now
}

// End ends the program of a job when it stays after its final record, or prints what
// says that it will give no answer. It returns when it did, or done is closed.
func End(x Execution, cli *catalog.CLI, done <-chan struct{}) {
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

// EndOnce is End for whoever looks once at a job. What still prints is left alone, unless it will
// give no answer.
func EndOnce(x Execution, cli *catalog.CLI) {
	w, now := newWatching(x, cli), time.Now()
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
