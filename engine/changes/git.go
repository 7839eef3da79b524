package changes

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// gitState is where git keeps what a working tree is compared with: the commit, what is
// staged, and the branches. Objects are not: they only become visible through these.
var gitState = []string{"HEAD", "index", "packed-refs", "refs", "reftable"}

// git looks at the state of a repository, of which .git is the directory, or a file that
// names it.
func (l *looker) git(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return ErrUndecided
	}
	if info.IsDir() {
		return l.state(path)
	}
	if err := l.times(path, info); err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	dir, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
	if err != nil || !ok {
		return ErrUndecided
	}
	dir = beside(path, dir)
	if err := l.state(dir); err != nil {
		return err
	}
	common, err := os.ReadFile(filepath.Join(dir, "commondir")) // of all working trees
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return ErrUndecided
	}
	return l.state(beside(filepath.Join(dir, "commondir"), strings.TrimSpace(string(common))))
}

// beside is a path that a file names, from its own directory on.
func beside(file, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}

func (l *looker) state(dir string) error {
	for _, name := range gitState {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := l.entry(path); err != nil {
			return err
		}
	}
	return nil
}

// enclosing looks at the state of the repository in which the directory is, if that begins
// further up.
func (l *looker) enclosing(dir string) error {
	if _, err := os.Lstat(filepath.Join(l.root, ".git")); err == nil {
		return nil
	}
	for {
		path := filepath.Join(dir, ".git")
		if _, err := os.Lstat(path); err == nil {
			return l.git(path)
		}
		up := filepath.Dir(dir)
		if up == dir {
			return nil
		}
		dir = up
	}
}
