// Package ownsettings tells which settings that a user has made in a CLI's own configuration are
// overridden by the level of access of a call.
//
// It hides where these files are, their formats, and that they are read again only after they
// have changed. It must not know what a setting means: specs say which there are.
package ownsettings

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/host"
)

const (
	// maxFile is the greatest file of settings in bytes.
	maxFile = 1 << 20
	// minAge is how old a file must be for its time to distinguish one state from the next.
	minAge = 2 * time.Second
	// maxPlaces is how many answers are kept.
	maxPlaces = 256
)

// Reader reads files of settings. Its methods may be called from any goroutine.
type Reader struct {
	Host *host.Host

	mu     sync.Mutex
	places map[place]answer
}

// place is a setting in a file.
type place struct{ file, key string }

// answer is what stood at a place: text of a value, or "…" for what is none; "" for nothing.
type answer struct {
	changed time.Time
	size    int64
	value   string
}

// Overridden says which settings of its user a CLI is not left with by the words of a level, one
// text for each file. Own leaves it all.
func (r *Reader) Overridden(cli *catalog.CLI, words string) (texts []string) {
	settings := cli.CLISpec.Access.Settings
	if words == access.Own || len(settings) == 0 || r.Host == nil {
		return nil
	}
	variables, err := r.Host.Variables()
	if err != nil { // the call itself says so
		return nil
	}
	var files []string
	keys, read := map[string][]string{}, map[string]map[string]any{}
	for _, s := range settings {
		file := variables.Place(s.Path)
		if file == "" || s.At != nil && !slices.Contains(s.At, words) {
			continue
		}
		value := r.value(file, s.Key, read)
		if value == "" || slices.Contains([]string(s.Same[words]), value) {
			continue
		}
		if !slices.Contains(files, file) {
			files = append(files, file)
		}
		keys[file] = append(keys[file], s.Key)
	}
	for _, file := range files {
		texts = append(texts, said(cli, keys[file], shown(file, variables), words))
	}
	return texts
}

// said says that settings are overridden.
func said(cli *catalog.CLI, keys []string, file, words string) string {
	is, noun := "is", "setting"
	if len(keys) > 1 {
		is, noun = "are", "settings"
	}
	return fmt.Sprintf("the %s %s of %s in %s %s overridden by access %q", noun, strings.Join(keys, ", "), cli.DisplayName(), file, is, words)
}

// shown is a path as it is shown.
func shown(file string, variables host.Variables) string {
	home := variables.Home()
	if rest, ok := strings.CutPrefix(file, home+string(filepath.Separator)); ok && home != "" {
		return "~/" + filepath.ToSlash(rest)
	}
	return file
}

// value is what a setting of a file is, "" where the user has not made it. A file that cannot
// be read has no settings: its program will say so. The files that were read are in read.
func (r *Reader) value(file, key string, read map[string]map[string]any) string {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
		return ""
	}
	at := place{file, key}
	r.mu.Lock()
	defer r.mu.Unlock()
	if a, ok := r.places[at]; ok && a.changed.Equal(info.ModTime()) && a.size == info.Size() {
		return a.value
	}
	a := answer{changed: info.ModTime(), size: info.Size()}
	whole, ok := read[file]
	if !ok {
		if data, err := os.ReadFile(file); err == nil {
			whole, _ = host.Document(file, data)
		}
		read[file] = whole
	}
	a.value = value(whole, strings.Split(key, "."))
	delete(r.places, at)
	if time.Since(info.ModTime()) > minAge {
		if r.places == nil || len(r.places) >= maxPlaces {
			r.places = map[place]answer{}
		}
		r.places[at] = a
	}
	return a.value
}

// value is the text at a path in an object, "…" for what is no short text, "" for nothing, false
// and what is empty.
func value(at any, path []string) string {
	for _, key := range path {
		object, ok := at.(map[string]any)
		if !ok {
			return ""
		}
		at = object[key]
	}
	switch v := at.(type) {
	case nil:
		return ""
	case bool:
		if !v {
			return ""
		}
		return "true"
	case string:
		return v[:min(len(v), 200)]
	case []any:
		if len(v) == 0 {
			return ""
		}
	case map[string]any:
		if len(v) == 0 {
			return ""
		}
	}
	return "…"
}
