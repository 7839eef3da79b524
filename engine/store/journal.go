package store

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store/filelock"
)

// Journal is a file of JSON objects, one a line. It belongs to whoever reads it: it may be
// moved or cut at any time, and any number of processes write it.
type Journal struct {
	Path string

	lockTimeout time.Duration // 0: trimming
}

// defaultLockTimeout is for how long another process is waited for that trims the journal, which
// takes milliseconds, or writes it.
const defaultLockTimeout = 5 * time.Second

// lock takes a lock beside the journal; false if it cannot be had in time, because a
// stopped process keeps it.
func (j Journal) lock(try func(*os.File) (bool, error)) (unlock func(), ok bool) {
	f, err := os.OpenFile(j.Path+"-lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false
	}
	for deadline := time.Now().Add(cmp.Or(j.lockTimeout, defaultLockTimeout)); ; time.Sleep(time.Millisecond) {
		ok, err := try(f)
		if ok {
			return func() { f.Close() }, true
		}
		if err != nil || time.Now().After(deadline) {
			f.Close()
			return nil, false
		}
	}
}

// Append adds a line. The file is made if there is none, readable by its owner alone.
func (j Journal) Append(v any) (err error) {
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(j.Path), 0o700); err != nil {
		return err
	}
	// The lock keeps the file from being replaced meanwhile, and no more than that:
	// where it cannot be had the line is written all the same.
	if unlock, ok := j.lock(filelock.TryRLock); ok {
		defer unlock()
	}
	file, err := os.OpenFile(j.Path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(j.Path, 0o600); err != nil {
			return err
		}
	}
	// In one write: lines of other processes end up before it or behind, never inside.
	_, err = file.Write(line.Bytes())
	return err
}

// Trim takes away the lines whose "time" lies before a time, and returns how many there
// were. A line without a time stays. What other processes write meanwhile is not lost;
// if they write all the time, nothing is done.
func (j Journal) Trim(before time.Time) (removed int, err error) {
	path, err := filepath.EvalSymlinks(j.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	unlock, ok := j.lock(filelock.TryLock)
	if !ok {
		return 0, nil
	}
	defer unlock()
	old, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) { // moved meanwhile
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer old.Close()
	if removed, err = trim(old, io.Discard, before); err != nil || removed == 0 {
		return 0, err
	}
	if _, err = old.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	// What was left by a process that was killed here is written over.
	fresh, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriter(fresh)
	removed, err = trim(old, out, before)
	if err = errors.Join(err, out.Flush(), fresh.Sync(), fresh.Close(), old.Close()); err != nil {
		return 0, errors.Join(err, os.Remove(fresh.Name()))
	}
	return removed, os.Rename(fresh.Name(), path)
}

// trim copies the lines that are not too old, and counts the others.
func trim(r io.Reader, w io.Writer, before time.Time) (removed int, err error) {
	in := bufio.NewReader(r)
	for {
		line, end := in.ReadBytes('\n')
		var entry struct{ Time time.Time }
		if json.Unmarshal(line, &entry) == nil && !entry.Time.IsZero() && entry.Time.Before(before) {
			removed++
		} else if _, err := w.Write(line); err != nil {
			return removed, err
		}
		if end == io.EOF {
			return removed, nil
		}
		if end != nil {
			return removed, end
		}
	}
}
