package watch

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watcher watches folders by means of events.
type watcher struct {
	o         Options
	notify    *fsnotify.Watcher // nil: there are no events
	watched   map[string]place  // folders by path
	partial   bool              // some of it could not be watched
	lastError bool              // that it could not was logged
}

// place is a folder that is watched.
type place struct {
	info  fs.FileInfo     // another folder may come to have its path
	names map[string]bool // that matter in it; nil: all
}

func newWatcher(o Options) *watcher {
	s := &watcher{o: o, watched: map[string]place{}}
	notify, err := o.open()
	if err != nil {
		s.degrade(err)
		return s
	}
	s.notify = notify
	return s
}

// dim makes polling more frequent from now on.
func (s *watcher) degrade(err error) {
	s.partial = true
	if !s.lastError {
		s.lastError = true
		s.o.Log.Warn("the spec folders cannot be watched, so they are polled", "every", s.o.PollUnwatched, "error", err)
	}
}

func (s *watcher) close() {
	if s.notify != nil {
		_ = s.notify.Close()
	}
}

func (s *watcher) interval() time.Duration {
	if s.partial {
		return s.o.PollUnwatched
	}
	return s.o.Poll
}

// events and errors are nil, on which nobody ever sends, where there are none.
func (s *watcher) events() chan fsnotify.Event {
	if s.notify == nil {
		return nil
	}
	return s.notify.Events
}

func (s *watcher) errors() chan error {
	if s.notify == nil {
		return nil
	}
	return s.notify.Errors
}

// refresh updates the set of watched folders. It runs before Wake is called, so that no
// change between the two is missed.
func (s *watcher) refresh() {
	if s.notify == nil {
		return
	}
	s.partial = false
	wanted := map[string]place{}
	for _, folder := range s.o.Folders {
		addFolder(wanted, folder)
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
			s.degrade(err)
			continue
		}
		s.watched[path] = p
	}
}

// addFolder adds what has to be watched for a folder: itself, the folder above it, the folders
// where links lead, and for a folder that is not there the nearest one above.
func addFolder(wanted map[string]place, folder string) {
	folder = filepath.Clean(folder)
	info, err := os.Stat(folder)
	if err == nil && info.IsDir() {
		wanted[folder] = place{info: info}
		if entries, err := os.ReadDir(folder); err == nil {
			for _, e := range entries {
				if e.Type()&fs.ModeSymlink != 0 {
					addTarget(wanted, filepath.Join(folder, e.Name()))
				}
			}
		}
	}
	addTarget(wanted, folder)
	for name := folder; ; {
		above := filepath.Dir(name)
		if above == name {
			return
		}
		if addName(wanted, above, filepath.Base(name)) {
			return
		}
		name = above
	}
}

// addTarget watches the folder of what a link leads to in the end.
func addTarget(wanted map[string]place, link string) {
	if path, err := filepath.EvalSymlinks(link); err == nil && path != link {
		addName(wanted, filepath.Dir(path), filepath.Base(path))
	}
}

// addName watches a folder for one name in it, and reports whether the folder is there.
func addName(wanted map[string]place, folder, name string) bool {
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
// above are mostly about other files in it. A change of the mode matters as well: files that
// others can write are refused, and are not when that has been mended.
func (s *watcher) relevant(e fsnotify.Event) bool {
	if _, itself := s.watched[e.Name]; itself {
		return true
	}
	p, ok := s.watched[filepath.Dir(e.Name)]
	return !ok || p.names == nil || p.names[filepath.Base(e.Name)]
}
