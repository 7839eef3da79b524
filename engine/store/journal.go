package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
)

// Journal is a file of JSON objects, one a line, that only grows. It belongs to whoever
// reads it: it may be moved or cut at any time, and any number of processes write it.
type Journal struct{ Path string }

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
