package configedit

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/diff"
)

// maxFile bounds what is read of a file of settings, in bytes.
const maxFile = 64 << 20

// Change is a file and its new text. Nothing has been written yet.
type Change struct {
	Name     string // as the caller gave it
	Old, New []byte
	Exists   bool // the file is there already

	path string // of the file itself, where Name is a link to it
	mode fs.FileMode
}

// Settings reads a file of settings and adds the entry to its text.
func Settings(name string, e Entry) (Change, error) {
	c, err := Open(name)
	if err != nil {
		return c, err
	}
	if c.New, err = Edit(name, c.Old, e); err != nil {
		return c, fmt.Errorf("%s %w", name, err)
	}
	return c, nil
}

// Text is the change of a file, which was read as old, to another text.
func Text(name string, old, text []byte) (Change, error) {
	c, err := Open(name)
	if err == nil && !bytes.Equal(c.Old, old) {
		err = c.meanwhile()
	}
	c.New = text
	return c, err
}

func (c Change) meanwhile() error {
	return fmt.Errorf("%s was changed in the meantime; try again", c.Name)
}

// Open reads a file that is to be changed or created.
func Open(name string) (Change, error) {
	c := Change{Name: name, path: name, mode: 0o600}
	switch path, err := filepath.EvalSymlinks(name); {
	case err == nil:
		c.path = path
	case !errors.Is(err, fs.ErrNotExist):
		return c, fmt.Errorf("cannot read %s: %w", name, err)
	default:
		if info, err := os.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return c, fmt.Errorf("%s is a broken symbolic link", name)
		}
	}
	info, err := os.Stat(c.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c, nil
	case err != nil:
		return c, fmt.Errorf("cannot read %s: %w", name, err)
	case !info.Mode().IsRegular():
		return c, fmt.Errorf("%s is not a regular file", name)
	}
	c.Exists, c.mode = true, info.Mode().Perm()
	c.Old, err = read(c.path)
	if err == nil && len(c.Old) > maxFile {
		err = fmt.Errorf("it has more than %d bytes", maxFile)
	}
	if err != nil {
		return c, fmt.Errorf("cannot read %s: %w", name, err)
	}
	return c, nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// Same reports whether there is nothing to do.
func (c Change) Same() bool { return c.Exists && bytes.Equal(c.Old, c.New) }

// Diff is what changes, as a unified diff; empty if nothing does.
func (c Change) Diff() string {
	from := c.Name
	if !c.Exists {
		from = "/dev/null"
	}
	// The first line repeats the two names.
	_, text, _ := bytes.Cut(diff.Diff(from, c.Old, c.Name, c.New), []byte("\n"))
	return string(text)
}

// Write replaces the file in one step and keeps the old text beside it, in the file
// whose name is returned ("" if there was none). A file that was changed since it was
// read is left alone.
func (c Change) Write() (backup string, err error) {
	if c.Same() {
		return "", nil
	}
	if err := c.current(); err != nil {
		return "", err
	}
	if c.Exists {
		backup = c.path + ".before-gateway"
		if err := replace(backup, c.Old, c.mode); err != nil {
			return "", fmt.Errorf("cannot write the backup: %w", err)
		}
	}
	return backup, c.Replace()
}

// current reports whether the file is still as it was read.
func (c Change) current() error {
	now, err := read(c.path)
	if c.Exists && err == nil && bytes.Equal(now, c.Old) || !c.Exists && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return c.meanwhile()
}

// Replace is Write without a copy of the old text, for a file that has none worth
// keeping.
func (c Change) Replace() error {
	if c.Same() {
		return nil
	}
	if err := c.current(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o700); err != nil {
		return err
	}
	return replace(c.path, c.New, c.mode)
}

// replace writes a file whole or not at all: the old text stays until the new one is on
// the disk.
func replace(path string, text []byte, mode fs.FileMode) error {
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()[:10]+".tmp")
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		os.Remove(temporary)
	}
	return err
}
