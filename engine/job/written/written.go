// Package written opens the files that programs write beside what they print: a private one of a
// call, or the program's own of a conversation.
//
// It hides how such a file is found, and what may not be taken for one: a link out of its
// folder, a pipe, what was not changed during the run, and more than a bounded part of it. It
// must not know what stands in the files.
package written

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

const (
	// maxSize is how much of a file is read, in bytes.
	maxSize = 16 << 20
	// maxEntries is how many entries of folders are looked at to find a file.
	maxEntries = 50_000
)

// Run is the run that a file is to be of.
type Run struct {
	Folder    string         // of the private files of the call
	Variables host.Variables // of the program
	Began     time.Time
}

// Opener is how the file of a spec is opened, as extract.Run has it; nil if there is none.
func Opener(spec lang.OutputFileSpec, run Run) func(session string) (extract.File, error) {
	switch {
	case spec.Name != "":
		return func(string) (extract.File, error) { return private(spec, run) }
	case spec.Path != "":
		return func(session string) (extract.File, error) { return conversation(spec, run, session) }
	}
	return nil
}

func private(spec lang.OutputFileSpec, run Run) (extract.File, error) {
	root, err := os.OpenRoot(run.Folder)
	if err != nil {
		return extract.File{}, reason(err)
	}
	defer root.Close()
	info, err := root.Lstat(spec.Name)
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		return extract.File{}, reason(err)
	}
	return open(root, spec.Name, spec.Format)
}

func conversation(spec lang.OutputFileSpec, run Run, session string) (extract.File, error) {
	if session == "" {
		return extract.File{}, errors.New("cannot be found: its conversation is unknown")
	}
	if strings.ContainsAny(session, "/\\\x00") || session == "." || session == ".." {
		return extract.File{}, errors.New("cannot be found: the id of its conversation is no name of a file")
	}
	folder, pattern := divide(filepath.ToSlash(run.Variables.Place(spec.Path)))
	if folder == "" {
		return extract.File{}, errors.New("cannot be found: " + spec.Path + " is no absolute path here")
	}
	root, err := os.OpenRoot(filepath.FromSlash(folder))
	if err != nil {
		return extract.File{}, reason(err)
	}
	defer root.Close()
	s := search{root: root, began: run.Began}
	for _, element := range pattern {
		s.pattern = append(s.pattern, strings.ReplaceAll(element, "{session}", escape.Replace(session)))
	}
	name, err := s.find(".", s.pattern)
	switch {
	case err != nil:
		return extract.File{}, err
	case name == "" && s.old:
		return extract.File{}, errors.New("was not changed during the run")
	case name == "":
		return extract.File{}, errMissing
	}
	return open(root, name, spec.Format)
}

// escape makes a pattern of a text.
var escape = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// divide divides a path into the folder that is named in it, and patterns for what is below.
func divide(place string) (folder string, pattern []string) {
	elements := strings.Split(place, "/")
	at := slices.IndexFunc(elements, func(e string) bool { return strings.ContainsAny(e, "*{") })
	if at <= 0 {
		return "", nil
	}
	if folder = strings.Join(elements[:at], "/"); folder == "" {
		folder = "/"
	}
	return folder, elements[at:]
}

// search looks for a file below a folder.
type search struct {
	root    *os.Root
	pattern []string
	began   time.Time
	seen    int
	old     bool // there is one that did not change during the run
}

// find is the name of the file below a folder, "" if there is none. What comes last by its
// name is looked at first: names begin with dates, or say nothing.
func (s *search) find(folder string, pattern []string) (string, error) {
	names, err := s.matches(folder, pattern[0])
	if err != nil {
		return "", err
	}
	for _, name := range names {
		at := path.Join(folder, name)
		info, err := s.root.Stat(at) // follows links, but not out of the root
		switch {
		case err != nil:
		case len(pattern) > 1 && info.IsDir():
			if found, err := s.find(at, pattern[1:]); found != "" || err != nil {
				return found, err
			}
		case len(pattern) > 1 || !info.Mode().IsRegular():
		case changed(info, s.began):
			return at, nil
		default:
			s.old = true
		}
	}
	return "", nil
}

// matches are the names in a folder that match, the last first.
func (s *search) matches(folder, pattern string) (names []string, err error) {
	dir, err := s.root.Open(folder)
	if err != nil {
		return nil, nil
	}
	defer dir.Close()
	entries, err := dir.ReadDir(maxEntries - s.seen + 1)
	if s.seen += len(entries); s.seen > maxEntries {
		return nil, fmt.Errorf("cannot be found: more than %d files lie where it may be", maxEntries)
	}
	for _, entry := range entries {
		if ok, _ := path.Match(pattern, entry.Name()); ok {
			names = append(names, entry.Name())
		}
	}
	slices.Sort(names)
	slices.Reverse(names)
	return names, nil
}

// changed reports whether a file was changed since a run began. The clock of file systems is
// behind by some milliseconds, and may count seconds only.
func changed(info fs.FileInfo, began time.Time) bool {
	const behind = 20 * time.Millisecond
	at := info.ModTime()
	if at.Nanosecond() == 0 {
		began = began.Truncate(time.Second)
	}
	return !at.Before(began.Add(-behind))
}

var (
	errMissing    = errors.New("is not there")
	errNotRegular = errors.New("is not a regular file")
)

// open opens a file, or the end of it.
func open(root *os.Root, name, format string) (extract.File, error) {
	file, err := root.OpenFile(name, os.O_RDONLY|nonblocking, 0)
	if err != nil {
		return extract.File{}, reason(err)
	}
	info, err := file.Stat()
	switch {
	case err == nil && !info.Mode().IsRegular():
		err = errNotRegular
	case err == nil && info.Size() > maxSize && format != lang.FormatJSONL:
		err = fmt.Errorf("has %d bytes, at most %d are read", info.Size(), maxSize)
	}
	if err != nil {
		file.Close()
		return extract.File{}, reason(err)
	}
	out := extract.File{Text: part{io.LimitReader(file, maxSize), file}, Size: min(info.Size(), maxSize)}
	if info.Size() > maxSize {
		out.Cut = true
		out.Text, err = end(file, info.Size())
	}
	return out, err
}

// end is the end of a file, from the beginning of a line on.
func end(file *os.File, size int64) (io.ReadCloser, error) {
	r := bufio.NewReader(io.NewSectionReader(file, size-maxSize, maxSize))
	for {
		_, err := r.ReadSlice('\n')
		switch {
		case err == nil || errors.Is(err, io.EOF):
			return part{r, file}, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			file.Close()
			return nil, reason(err)
		}
	}
}

// part is a part of a file.
type part struct {
	io.Reader
	io.Closer
}

// reason completes a sentence that begins with the file.
func reason(err error) error {
	var at *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errMissing
	case errors.As(err, &at):
		return fmt.Errorf("cannot be read: %w", at.Err)
	}
	return err
}
