// Package trust keeps the list of directories that a person has trusted: their settings,
// hooks, servers and plugins may count for the CLIs that are called in them.
//
// It hides the file of the list. It must not know what a CLI does with a directory.
package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/host"
)

// List is the trusted directories, one on each line of a file. What another process writes
// counts from the next look on.
type List struct{ File string }

// Dirs are the directories of the list, sorted, without symbolic links. A list that is not
// there is empty. The error is one of reading, or says that others could have written it.
func (l List) Dirs() ([]string, error) {
	info, err := os.Lstat(l.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || host.Exposed(info, 0o022) != "":
		return nil, fmt.Errorf("%s does not count: it must be a regular file that only its owner can write", l.File)
	}
	data, err := os.ReadFile(l.File)
	if err != nil {
		return nil, err
	}
	dirs := slices.DeleteFunc(strings.Split(string(data), "\n"), func(dir string) bool { return !filepath.IsAbs(dir) })
	slices.Sort(dirs)
	return slices.Compact(dirs), nil
}

// Add puts a directory, absolute and without symbolic links, on the list.
func (l List) Add(dir string) error {
	if strings.ContainsAny(dir, "\n\x00") || !filepath.IsAbs(dir) {
		return fmt.Errorf("%q cannot stand on the list", dir)
	}
	return l.change(func(dirs []string) []string { return append(dirs, dir) })
}

// Remove takes a directory off the list. It reports whether it was there.
func (l List) Remove(dir string) (was bool, err error) {
	err = l.change(func(dirs []string) []string {
		was = slices.Contains(dirs, dir)
		return slices.DeleteFunc(dirs, func(d string) bool { return d == dir })
	})
	return was, err
}

func (l List) change(do func([]string) []string) error {
	dirs, err := l.Dirs()
	if err != nil {
		return err
	}
	dirs = do(dirs)
	slices.Sort(dirs)
	if err := os.MkdirAll(filepath.Dir(l.File), 0o700); err != nil {
		return err
	}
	// A new file takes the place of the old one at once.
	temp, err := os.CreateTemp(filepath.Dir(l.File), ".trusted-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	text := strings.Join(slices.Compact(dirs), "\n")
	if text != "" {
		text += "\n"
	}
	_, err = temp.WriteString(text)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), l.File)
}

// Below reports whether a directory is one of others, or lies below one.
func Below(dir string, others []string) bool {
	return slices.ContainsFunc(others, func(other string) bool {
		if real, err := filepath.EvalSymlinks(other); err == nil {
			other = real
		}
		rel, err := filepath.Rel(other, dir)
		return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
	})
}
