package job

import (
	"os"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/job/spool"
	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// settled is why a job was ended that had printed its final record and stayed.
const settled process.Reason = "settled"

// exitOf is the exit of a supervised job. Its supervisor knows of a cancel alone.
func exitOf(e supervisor.Exit) process.Exit {
	exit := process.SupervisedExit(e)
	if exit.Reason == process.Canceled && e.Detail == string(settled) {
		exit.Reason = settled
	}
	return exit
}

// settling watches one job for a program that stays after its final record.
type settling struct {
	x     execution
	watch *extract.Settle
	files *spools
	out   spool.Growing
	seen  time.Time // when what is read now was printed, at the latest
}

// newSettling watches a job of a CLI; nil if its programs may stay.
func newSettling(x execution, cli *catalog.CLI) *settling {
	if watch := cli.Settle(); watch != nil {
		return &settling{x: x, watch: watch}
	}
	return nil
}

// Write takes what is new of standard output.
func (s *settling) Write(b []byte) (int, error) {
	s.watch.Write(b, s.seen)
	return len(b), nil
}

// look reads what is new, and ends the program if it has stayed for too long. It reports
// whether it did.
func (s *settling) look(now time.Time) bool {
	if s.files == nil {
		files, err := s.x.output()
		if err != nil { // it waits for its turn
			return false
		}
		s.files, s.out, s.seen = files, spool.Growing{File: files.stdout}, printed(files.stdout, now)
	}
	captured, _, err := s.files.captured()
	if err != nil || s.out.Next(s, captured) != nil {
		return false
	}
	s.seen = now
	return s.watch.Settled(now) && s.x.cancel(string(settled)) == nil
}

func (s *settling) close() {
	if s.files != nil {
		s.files.close()
	}
}

// printed is when something was last written to a file, or now.
func printed(f *os.File, now time.Time) time.Time {
	if info, err := f.Stat(); err == nil && info.ModTime().Before(now) {
		return info.ModTime()
	}
	return now
}

// settle ends the program of a job when it stays after its final record. It returns when it
// did, or done is closed.
func settle(x execution, cli *catalog.CLI, done <-chan struct{}) {
	s := newSettling(x, cli)
	if s == nil {
		return
	}
	defer s.close()
	tick := time.NewTicker(min(max(s.watch.After()/8, 20*time.Millisecond), 500*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			if s.look(now) {
				return
			}
		case <-done:
			return
		}
	}
}

// settleOnce is settle for whoever looks at a running job of another gateway, which may be
// gone. What still prints is left alone.
func (r *Runner) settleOnce(x execution, row store.Job) {
	cli, ok := r.Current().CLI(row.CLI)
	if !ok || row.Mode == program || x.handle() != nil {
		return
	}
	s, now := newSettling(x, cli.At(row.CLIVersion)), time.Now()
	if s == nil {
		return
	}
	defer s.close()
	files, err := x.output()
	if err != nil {
		return
	}
	s.files, s.out, s.seen = files, spool.Growing{File: files.stdout}, printed(files.stdout, now)
	if now.Sub(s.seen) >= s.watch.After() {
		s.look(now)
	}
}
