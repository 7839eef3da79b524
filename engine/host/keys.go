package host

import (
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

// Keys are the keys of an object inside JSON or TOML files, sorted; what PlainJSON takes away
// may be in JSON. A path is absolute, or begins with ~/ and may hold *, or with
// {VARIABLE:~/folder}/, or lies below dir. A file that is not there, or has no such object, has no keys.
func (h *Host) Keys(path, key, dir string) (keys []string, err error) {
	h.mu.Lock()
	env, err := h.environment()
	h.mu.Unlock()
	if err != nil {
		return nil, err
	}
	files := []string{path}
	switch {
	case strings.HasPrefix(path, "{"):
		files = []string{Variables(env).Place(path)}
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
func member(file, key string) (object map[string]any, err error) {
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
	var whole map[string]any
	if err == nil {
		whole, err = Document(file, text)
	}
	if err == nil && whole[key] != nil {
		var ok bool
		if object, ok = whole[key].(map[string]any); !ok {
			err = fmt.Errorf("%s is no object", key)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", file, err)
	}
	return object, nil
}
