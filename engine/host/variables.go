package host

import (
	"path/filepath"
	"slices"
	"strings"
)

// Variables are an environment as KEY=VALUE; of a name that comes twice the last counts.
type Variables []string

// Variables are our own, overlaid by the environment file, before any filter.
func (h *Host) Variables() (Variables, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	env, err := h.environment()
	return slices.Clip(env), err
}

// Value is that of a variable; "" if it is not set.
func (v Variables) Value(name string) string { return value(v, name) }

// Home is the home folder that the environment names, else the user's; "" if there is
// none.
func (v Variables) Home() string { return home(v) }

// Admits reports whether a variable of that name is passed on.
func (f Filter) Admits(name string) bool { return matches(f.Pass, name) && !matches(f.Drop, name) }

// Place is the path that a spec writes with ~ or {VARIABLE:~/folder} in front; "" if
// that comes to no absolute path.
func (v Variables) Place(file string) string {
	if rest, ok := strings.CutPrefix(file, "{"); ok {
		inner, after, _ := strings.Cut(rest, "}")
		name, folder, _ := strings.Cut(inner, ":")
		if set := v.Value(name); set != "" {
			folder = set
		}
		if folder == "" {
			return ""
		}
		file = folder + after
	}
	if file = expandHome(file, v.Home()); !filepath.IsAbs(file) {
		return ""
	}
	return filepath.Clean(file)
}
