package models

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
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

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Bounds of a scan of a history, which may have grown for years.
const (
	maxNames    = 1000                   // of a folder, in no order
	maxFolders  = 100                    // of each level, newest first
	maxRead     = 20                     // files, newest first
	maxTail     = 256 << 10              // bytes at the end of each
	maxUsed     = 20                     // models
	maxScanTime = 300 * time.Millisecond // in all
)

// place is a file or folder of a history.
type place struct {
	path    string
	changed time.Time
}

// newest sorts the places that changed last to the front, and leaves the others out.
func newest(places []place, most int) []place {
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(b.changed.Compare(a.changed), cmp.Compare(b.path, a.path))
	})
	return places[:min(len(places), most)]
}

// history reads the models that were used from the files below a folder, those of the
// newest first.
func (v *view) history(ctx context.Context, name string, s lang.SourceSpec) (used []pair, where string) {
	root, named := v.locate(name, s)
	if root == "" {
		return nil, ""
	}
	look := &historyScan{view: v, ctx: ctx, until: v.clock().Add(maxScanTime)}
	files := look.files(root, s.Files)
	if look.err != nil && (named || !errors.Is(look.err, fs.ErrNotExist)) {
		v.warn("%s cannot be read: %s", v.displayPath(root), reason(look.err))
		return nil, ""
	}
	seen := map[string]bool{}
	broken := 0
	for _, file := range files {
		if len(used) >= maxUsed || look.over() {
			break
		}
		names, err := read(file.path, s)
		if err != nil {
			broken++
			continue
		}
		for _, name := range names {
			if !seen[name] && len(used) < maxUsed && matchesName(name, modelName) {
				seen[name] = true
				used = append(used, pair{key: name})
			}
		}
	}
	if broken > 0 {
		v.warn("%s: %d of the %d newest files cannot be read", v.displayPath(root), broken, len(files))
	}
	return used, v.displayPath(root)
}

// historyScan is one bounded scan of a history.
type historyScan struct {
	*view
	ctx   context.Context
	until time.Time
	err   error // of the root
}

func (l *historyScan) over() bool { return l.ctx.Err() != nil || l.clock().After(l.until) }

// files are the newest that match the pattern below the root. No link is followed but
// the root itself.
func (l *historyScan) files(root, pattern string) []place {
	parts := strings.Split(pattern, "/")
	folders := []place{{path: root}}
	for i, part := range parts {
		last := i == len(parts)-1
		var found []place
		for _, folder := range folders {
			if l.over() {
				break
			}
			entries, err := list(folder.path)
			if err != nil && i == 0 {
				l.err = err
			}
			for _, e := range entries {
				if last != e.Type().IsRegular() || !last && !e.IsDir() {
					continue
				}
				if ok, _ := path.Match(part, e.Name()); !ok {
					continue
				}
				if info, err := e.Info(); err == nil {
					found = append(found, place{filepath.Join(folder.path, e.Name()), info.ModTime()})
				}
			}
		}
		if folders = newest(found, maxFolders); last {
			return newest(found, maxRead)
		}
	}
	return nil
}

func list(folder string) ([]os.DirEntry, error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(maxNames)
	if errors.Is(err, io.EOF) || len(entries) > 0 {
		err = nil
	}
	return entries, err
}

// read takes the models out of one file of a history: out of the end of one that has a
// record a line, newest first, else out of the whole.
func read(file string, s lang.SourceSpec) (names []string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	format := s.FormatOf(file)
	if format != lang.FormatJSONL {
		if info.Size() > maxFile {
			return nil, fmt.Errorf("has %d bytes", info.Size())
		}
		data, err := readFile(file)
		if err != nil {
			return nil, err
		}
		doc, err := decode(data, format)
		if err != nil {
			return nil, err
		}
		return keysOf(doc, s), nil
	}
	from := max(0, info.Size()-maxTail)
	data := make([]byte, info.Size()-from)
	n, err := f.ReadAt(data, from)
	if n == 0 && err != nil {
		return nil, err
	}
	lines := bytes.Split(data[:n], []byte("\n"))
	if from > 0 {
		lines = lines[1:] // begun before
	}
	seen := map[string]bool{}
	records := 0
	for _, line := range slices.Backward(lines) {
		if !mentions(line, s.Key) {
			continue
		}
		var doc any
		if json.Unmarshal(line, &doc) != nil {
			continue
		}
		records++
		for _, name := range keysOf(doc, s) {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	if records == 0 && bytes.IndexByte(data[:n], 0) >= 0 {
		return nil, errors.New("is not text")
	}
	return names, nil
}

// mentions spares most lines of a history, which hold what was said, their decoding.
func mentions(line []byte, keys []string) bool {
	return slices.ContainsFunc(keys, func(key string) bool {
		return bytes.Contains(line, []byte(key[strings.LastIndexByte(key, '.')+1:]))
	})
}

func keysOf(doc any, s lang.SourceSpec) (found []string) {
	entries, _, _ := collect(doc, s)
	for _, e := range entries {
		if !slices.Contains(found, e.key) {
			found = append(found, e.key)
		}
	}
	return found
}
