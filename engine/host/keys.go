package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxConfig bounds a configuration file, in bytes.
const maxConfig = 4 << 20

// Keys are the keys of an object inside JSON files, sorted; what PlainJSON takes away
// may be in them. A path is absolute, or begins with ~/ and may hold *, or lies below
// dir. A file that is not there, or has no such object, has no keys.
func (h *Host) Keys(path, key, dir string) (keys []string, err error) {
	h.mu.Lock()
	env, err := h.environment()
	h.mu.Unlock()
	if err != nil {
		return nil, err
	}
	files := []string{path}
	switch {
	case strings.HasPrefix(path, "~/"):
		files, _ = filepath.Glob(expandHome(path, literal.Replace(home(env))))
	case !filepath.IsAbs(path):
		files = []string{filepath.Join(dir, path)}
	}
	for _, file := range files {
		object, wrong := member(file, key)
		for name := range object {
			keys = append(keys, name)
		}
		err = errors.Join(err, wrong)
	}
	slices.Sort(keys)
	return slices.Compact(keys), err
}

// member is the object under a key of the object in a file.
func member(file, key string) (object map[string]json.RawMessage, err error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxConfig) {
		err = errors.New("not a regular file of a sensible size")
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(file)
	}
	var whole map[string]json.RawMessage
	if err == nil && len(strings.TrimSpace(string(text))) > 0 {
		err = json.Unmarshal(PlainJSON(text), &whole)
	}
	if err == nil && whole[key] != nil {
		err = json.Unmarshal(whole[key], &object)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", file, err)
	}
	return object, nil
}
