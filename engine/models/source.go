package models

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

const (
	// maxFile is the greatest file of settings in bytes; a wrong path must not read a
	// disk image.
	maxFile = 1 << 20
	// maxAnswers is how many answers are kept.
	maxAnswers = 256
	// minFileAge is how old a file must be for its time to distinguish one state from the next.
	minFileAge = 2 * time.Second
)

// finding is what a source that gives a default holds.
type finding struct {
	name      string // "" if it names none
	from      string
	elsewhere bool // where the CLI itself does not look
}

// source reads a source that gives a default.
func (v *view) source(name string, s lang.SourceSpec) finding {
	if s.Env != "" {
		text := strings.TrimSpace(v.cliVariable(s.Env))
		if text == "" || v.warnUnusable(from(s.Env), text) {
			return finding{}
		}
		return finding{name: text, from: from(s.Env)}
	}
	path, elsewhere := v.locate(name, s)
	found := v.file(path, elsewhere, s)
	if len(found.entries) == 0 || v.warnUnusable(v.displayPath(path), found.entries[0].key) {
		return finding{}
	}
	return finding{name: found.entries[0].key, from: v.displayPath(path) + ": " + found.at, elsewhere: elsewhere}
}

// warnUnusable warns of a name that cannot be passed.
func (v *view) warnUnusable(where, name string) bool {
	wrong := v.unusable(name)
	if wrong != "" {
		v.warn("%s: %s", where, wrong)
	}
	return wrong != ""
}

// locate is the path of a source, "" if it has none here, and whether a variable names
// another than the CLI's own.
func (v *view) locate(name string, s lang.SourceSpec) (path string, elsewhere bool) {
	for _, candidate := range s.Path {
		if path = v.expand(candidate); path != "" {
			break
		}
	}
	variable := s.Variable(v.prefix, name)
	other := strings.TrimSpace(v.gatewayVariables.Value(variable))
	switch {
	case other == "":
		return path, false
	case strings.HasPrefix(other, "~/"):
		other = v.expand(other)
	}
	if !filepath.IsAbs(other) {
		v.warn("%s: %s is a relative path; it must start with / or ~/", variable, quoted(v.secrets, other))
		return "", false
	}
	other = filepath.Clean(other)
	return other, other != path
}

// expand makes an absolute path of one in a spec; "" if a variable in it is not set.
func (v *view) expand(path string) string {
	switch head, rest, _ := strings.Cut(path, "/"); {
	case head == "~":
		path = filepath.Join(v.home(), rest)
	case strings.HasPrefix(head, "$"):
		folder := v.cliVariable(head[1:])
		if folder == "" {
			return ""
		}
		path = filepath.Join(folder, rest)
	}
	if !filepath.IsAbs(path) {
		return ""
	}
	return filepath.Clean(path)
}

// home is the CLI's.
func (v *view) home() string {
	if v.Host == nil {
		return ""
	}
	if dir, ok := v.cli.Env.Set.Get("HOME"); ok {
		return dir
	}
	return v.gatewayVariables.Home()
}

// displayPath is a path as it is shown.
func (v *view) displayPath(path string) string {
	if rest, ok := strings.CutPrefix(path, v.home()+string(filepath.Separator)); ok && v.home() != "" {
		return "~/" + filepath.ToSlash(rest)
	}
	return path
}

// question is what a file is asked, which is kept together with the answer: the file
// itself may hold keys, and is not.
type question struct{ path, format, keys, what string }

type answer struct {
	info    os.FileInfo
	entries []pair
	at      string // the key at which they stand
	err     error
}

// file asks a file of settings. One that is not there is no reason to warn, unless a
// variable names it.
func (v *view) file(path string, named bool, s lang.SourceSpec) answer {
	if path == "" {
		return answer{}
	}
	a := v.ask(path, s)
	switch {
	case errors.Is(a.err, fs.ErrNotExist) && !named:
	case errors.Is(a.err, fs.ErrNotExist):
		v.warn("%s does not exist", v.displayPath(path))
	case a.err != nil:
		v.warn("%s %s", v.displayPath(path), a.err)
	}
	return a
}

func (r *Registry) ask(path string, s lang.SourceSpec) answer {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return answer{err: fs.ErrNotExist}
	case err != nil:
		return answer{err: fmt.Errorf("cannot be read: %w", reason(err))}
	case info.IsDir():
		return answer{err: errors.New("is a folder")}
	case !info.Mode().IsRegular():
		return answer{err: errors.New("is not a regular file")}
	case info.Size() > maxFile:
		return answer{err: fmt.Errorf("has %d bytes, at most %d are allowed", info.Size(), maxFile)}
	}
	format := s.FormatOf(path)
	if format == "" && len(s.Path) > 0 { // of a file that a variable names
		format = s.FormatOf(s.Path[0])
	}
	q := question{path, format, strings.Join(s.Key, "\x00"), s.What()}
	r.mu.Lock()
	defer r.mu.Unlock()
	old, known := r.files[q]
	if known && os.SameFile(old.info, info) && old.info.ModTime().Equal(info.ModTime()) && old.info.Size() == info.Size() {
		return old
	}
	a := answer{info: info}
	data, err := readFile(path)
	if err != nil {
		return answer{err: fmt.Errorf("cannot be read: %w", reason(err))}
	}
	doc, err := decode(data, format)
	if err == nil {
		a.entries, a.at, err = collect(doc, s)
	}
	a.err = err
	// A file that was just written may be written again within the same tick of its
	// clock, and look the same.
	if r.clock().Sub(info.ModTime()) > minFileAge {
		if r.files == nil || len(r.files) >= maxAnswers {
			r.files = map[question]answer{}
		}
		r.files[q] = a
	} else {
		delete(r.files, q)
	}
	return a
}

// reason is an error without the path, which is printed before it.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// readFile reads a file of settings; what exceeds the bound makes it broken.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile))
}
