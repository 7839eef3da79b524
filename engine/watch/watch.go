package watch

import (
	"cmp"
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Options of a watch; only Folders and Wake are required.
type Options struct {
	// Folders whose files are watched, not those of folders inside them. One that is not
	// there may come later.
	Folders []string
	// Wake is called once at the beginning and then whenever something may have changed,
	// never twice at once.
	Wake func()

	Now           <-chan struct{} // wakes at once; nil: never
	Log           *slog.Logger    // nil: none
	Quiet         time.Duration   // after the last event, before Wake; 0: 80 ms
	MaxDelay      time.Duration   // that events may keep Wake from being called; 0: 1 s
	Poll          time.Duration   // between two looks that no event asked for; 0: 5 s
	PollUnwatched time.Duration   // the same where there are no events; 0: 500 ms

	open func() (*fsnotify.Watcher, error) // for tests; nil: the system's
}

// Run watches until ctx ends.
func Run(ctx context.Context, o Options) {
	o.Quiet, o.MaxDelay = cmp.Or(o.Quiet, 80*time.Millisecond), cmp.Or(o.MaxDelay, time.Second)
	o.Poll, o.PollUnwatched = cmp.Or(o.Poll, 5*time.Second), cmp.Or(o.PollUnwatched, 500*time.Millisecond)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.open == nil {
		o.open = fsnotify.NewWatcher
	}
	folders := make([]string, len(o.Folders))
	for i, folder := range o.Folders {
		folders[i] = folder
		if absolute, err := filepath.Abs(folder); err == nil { // else it is looked for as it is named
			folders[i] = absolute
		}
	}
	o.Folders = folders
	s := newWatcher(o)
	defer s.close()
	for {
		s.refresh()
		o.Wake()
		if !s.wait(ctx) {
			return
		}
	}
}

// wait returns when it is time to wake; false when ctx has ended.
func (s *watcher) wait(ctx context.Context) bool {
	poll := time.NewTimer(s.interval())
	defer poll.Stop()
	var quiet, most <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return false
		case <-s.o.Now:
			return true
		case <-quiet:
			return true
		case <-most:
			return true
		case <-poll.C:
			if quiet == nil {
				return true
			}
		case hint := <-s.events():
			if !s.relevant(hint) {
				continue
			}
			if quiet == nil {
				most = time.After(s.o.MaxDelay)
			}
			quiet = time.After(s.o.Quiet)
		case err := <-s.errors():
			// Events were lost, or will be: what is there now is looked at.
			s.o.Log.Debug("watching the specs", "error", err)
			return true
		}
	}
}
