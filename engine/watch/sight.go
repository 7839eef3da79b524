package watch

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// sight is what is watched by means of events.
type sight struct {
	o       Options
	notify  *fsnotify.Watcher // nil: there are no events
	watched map[string]place  // folders by path
	blind   bool              // some of it could not be watched
	told    bool              // that it could not
}

// place is a folder that is watched.
type place struct {
	info  fs.FileInfo     // another folder may come to have its path
	names map[string]bool // that matter in it; nil: all
}

func newSight(o Options) *sight {
	s := &sight{o: o, watched: map[string]place{}}
	notify, err := o.open()
	if err != nil {
		s.dim(err)
		return s
	}
	s.notify = notify
	return s
}

// dim: from now on it is looked more often.
func (s *sight) dim(err error) {
	s.blind = true
	if !s.told {
		s.told = true
		s.o.Log.Warn("the spec folders cannot be watched, so they are polled", "every", s.o.Blind, "error", err)
	}
}

func (s *sight) close() {
	if s.notify != nil {
		_ = s.notify.Close()
	}
}

func (s *sight) interval() time.Duration {
	if s.blind {
		return s.o.Blind
	}
	return s.o.Poll
}

// events and errors are nil, on which nobody ever sends, where there are none.
func (s *sight) events() chan fsnotify.Event {
	if s.notify == nil {
		return nil
	}
	return s.notify.Events
}

func (s *sight) errors() chan error {
	if s.notify == nil {
		return nil
	}
	return s.notify.Errors
}

// look watches what has to be watched now. It comes before whoever is woken looks, so
// that nothing happens between the two unseen.
func (s *sight) look() {
	if s.notify == nil {
		return
	}
	s.blind = false
	wanted := map[string]place{}
	for _, folder := range s.o.Folders {
		want(wanted, folder)
	}
	for path, old := range s.watched {
		if now, ok := wanted[path]; !ok || !os.SameFile(old.info, now.info) {
			_ = s.notify.Remove(path) // it may be gone, and with it the watch
			delete(s.watched, path)
		}
	}
	for path, p := range wanted {
		// One that is watched is added again all the same: that costs nothing, and a
		// watch may have been lost with a folder that was put back.
		if err := s.notify.Add(path); err != nil {
			s.dim(err)
			continue
		}
		s.watched[path] = p
	}
}

// want adds what has to be watched for a folder: itself, the folder above it, the folders
// where links lead, and for a folder that is not there the nearest one above.
func want(wanted map[string]place, folder string) {
	folder = filepath.Clean(folder)
	info, err := os.Stat(folder)
	if err == nil && info.IsDir() {
		wanted[folder] = place{info: info}
		if entries, err := os.ReadDir(folder); err == nil {
			for _, e := range entries {
				if e.Type()&fs.ModeSymlink != 0 {
					target(wanted, filepath.Join(folder, e.Name()))
				}
			}
		}
	}
	target(wanted, folder)
	for name := folder; ; {
		above := filepath.Dir(name)
		if above == name {
			return
		}
		if add(wanted, above, filepath.Base(name)) {
			return
		}
		name = above
	}
}

// target watches the folder of what a link leads to in the end.
func target(wanted map[string]place, link string) {
	if path, err := filepath.EvalSymlinks(link); err == nil && path != link {
		add(wanted, filepath.Dir(path), filepath.Base(path))
	}
}

// add watches a folder for one name in it, and reports whether the folder is there.
func add(wanted map[string]place, folder, name string) bool {
	p, known := wanted[folder]
	if !known {
		info, err := os.Stat(folder)
		if err != nil || !info.IsDir() {
			return false
		}
		p = place{info: info, names: map[string]bool{}}
	}
	if p.names != nil {
		p.names[name] = true
	}
	wanted[folder] = p
	return true
}

// relevant reports whether an event may be about a file that matters. Those of the folder
// above are mostly about its other inhabitants.
func (s *sight) relevant(e fsnotify.Event) bool {
	if e.Op == fsnotify.Chmod {
		return false
	}
	if _, itself := s.watched[e.Name]; itself {
		return true
	}
	p, ok := s.watched[filepath.Dir(e.Name)]
	return !ok || p.names == nil || p.names[filepath.Base(e.Name)]
}
