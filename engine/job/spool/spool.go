// Package spool holds the files that a call reads from and writes to.
//
// It hides that those of a run which ends with its gateway have no name any more where the
// system allows that, so that nothing is left behind. It must not know what a job is.
package spool

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
)

// Files are what a run reads from and writes to. Output goes to regular files,
// since several programs lose what they write to a pipe when they exit.
type Files struct {
	Stdin, Stdout, Stderr *os.File

	folder   string
	named    []string // files that still have a name and must be removed
	namedDir string   // folder of those that the program reads by their names, "" without any
}

// New makes the files of one run below folder, mode 0600.
func New(folder string) (*Files, error) {
	f := &Files{folder: folder}
	err := os.MkdirAll(folder, 0o700)
	if err == nil {
		f.Stdout, err = f.create("out-*")
	}
	if err == nil {
		f.Stderr, err = f.create("err-*")
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("no space for the output of the call: %w", err)
	}
	return f, nil
}

// create makes a file that has no name any more, so that nothing is left behind
// when the gateway dies. Windows cannot do that; there it goes with Close.
func (f *Files) create(pattern string) (*os.File, error) {
	file, err := os.CreateTemp(f.folder, pattern)
	if err != nil {
		return nil, err
	}
	if runtime.GOOS == "windows" {
		f.named = append(f.named, file.Name())
		return file, nil
	}
	return file, os.Remove(file.Name())
}

// Input makes standard input out of the prompt.
func (f *Files) Input(text string) error {
	file, err := f.create("in-*")
	if err != nil {
		return fmt.Errorf("the prompt cannot be written: %w", err)
	}
	f.Stdin = file
	if _, err := io.WriteString(file, text); err != nil {
		return fmt.Errorf("the prompt cannot be written: %w", err)
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}

// WriteNamed writes the named files of the call into their folder.
func (f *Files) WriteNamed(files []catalog.File, folder string) error {
	f.namedDir = folder
	err := os.Mkdir(folder, 0o700)
	if err == nil {
		err = Write(files, folder)
	}
	if err != nil {
		return fmt.Errorf("the files of the call cannot be written: %w", err)
	}
	return nil
}

// NamedDir is the folder of the named files, "" without any.
func (f *Files) NamedDir() string { return f.namedDir }

// RemoveNamed removes the named files of the call, once its program has ended.
func (f *Files) RemoveNamed() {
	if f.namedDir != "" {
		os.RemoveAll(f.namedDir)
	}
}

// Close closes the files, and removes those that have a name.
func (f *Files) Close() {
	if f == nil {
		return
	}
	for _, file := range []*os.File{f.Stdin, f.Stdout, f.Stderr} {
		if file != nil {
			file.Close()
		}
	}
	for _, name := range f.named {
		os.Remove(name)
	}
	f.RemoveNamed()
}

// Write writes the files of a call into a folder, mode 0600.
func Write(files []catalog.File, folder string) error {
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(folder, f.Name), []byte(f.Text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
