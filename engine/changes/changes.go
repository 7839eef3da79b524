// Package changes tells whether anything below a directory has changed since a time, so
// that what was said of it then may be said again.
//
// It hides which times of a file count, how coarse they are, and where git keeps the state
// of a working tree. It looks at the file system, for a bounded time, and changes nothing.
// It must not know what was said, nor by whom.
package changes

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Bounds of one look. Beyond them it is not known whether anything has changed.
const (
	MaxEntries = 20_000
	MaxTime    = 300 * time.Millisecond
)

// ErrUndecided says that there is too much to look at, or that a part cannot be looked at.
var ErrUndecided = errors.New("it cannot be said whether anything has changed")

// coarse is how far times may be from the truth that are whole seconds: there are file
// systems that keep even seconds only.
const coarse = 2 * time.Second

// Since finds something below a directory that has changed since a time, the state of its
// git repository included; "" if nothing has. Of files, their content and attributes count,
// of directories their lists of files. Paths in skip, absolute, are not looked at. The
// error is ErrUndecided.
func Since(dir string, since time.Time, skip ...string) (path string, err error) {
	return look(dir, since, skip, MaxEntries, time.Now().Add(MaxTime))
}

func look(dir string, since time.Time, skip []string, entries int, until time.Time) (string, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return "", ErrUndecided
	}
	for i, path := range skip {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			skip[i] = real
		}
	}
	l := &looker{root: dir, since: since, skip: skip, left: entries, until: until}
	err = l.entry(dir)
	if err == nil {
		err = l.enclosing(filepath.Dir(dir))
	}
	if errors.Is(err, errFound) {
		return l.found, nil
	}
	return "", err
}

// looker is one look.
type looker struct {
	root  string
	since time.Time
	skip  []string
	left  int // entries that may still be looked at
	until time.Time
	found string
}

// errFound ends a look.
var errFound = errors.New("something has changed")

// entry looks at a file, or at a directory and all below it.
func (l *looker) entry(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) { // removed meanwhile
		return l.changed(path)
	}
	if err != nil {
		return ErrUndecided
	}
	return l.one(path, info)
}

func (l *looker) one(path string, info fs.FileInfo) error {
	if slices.Contains(l.skip, path) {
		return nil
	}
	if err := l.times(path, info); err != nil {
		return err
	}
	switch {
	case info.IsDir():
		return l.below(path)
	case info.Mode()&fs.ModeSymlink != 0:
		return l.link(path)
	}
	return nil
}

// times looks at the times of one file.
func (l *looker) times(path string, info fs.FileInfo) error {
	if l.left--; l.left < 0 || l.left%64 == 0 && time.Now().After(l.until) {
		return ErrUndecided
	}
	at := info.ModTime()
	if c, ok := changeTime(info); ok && c.After(at) { // a time of modification can be set to any
		at = c
	}
	if at.Nanosecond() == 0 {
		at = at.Add(coarse)
	}
	if at.Before(l.since) {
		return nil
	}
	return l.changed(path)
}

func (l *looker) changed(path string) error {
	l.found = path
	return errFound
}

// below looks at what is in a directory.
func (l *looker) below(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ErrUndecided
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if e.Name() == ".git" {
			err = l.git(path)
		} else {
			err = l.entry(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// link looks at where a link leads. A directory outside is too much to look at.
func (l *looker) link(path string) error {
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return ErrUndecided
	}
	if target == l.root || strings.HasPrefix(target, l.root+string(filepath.Separator)) {
		return nil // it is looked at there
	}
	info, err := os.Stat(target)
	if err != nil || info.IsDir() {
		return ErrUndecided
	}
	return l.times(path, info)
}
