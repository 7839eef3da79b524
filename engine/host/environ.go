package host

import (
	"path/filepath"
	"slices"
	"strings"
)

// Filter chooses from an environment. A pattern is a name, or the beginning of
// names followed by *.
type Filter struct {
	Pass []string          // what is passed on
	Drop []string          // what is not, whatever passes it
	Set  map[string]string // what is set, over all
	Bin  string            // the program that gets it, as Find takes it; "" for any
}

// Environ is the environment for a program as KEY=VALUE, sorted by name, each name
// once: our own overlaid by the environment file, filtered, with what is set on top
// and with a PATH on which the programs of the well-known folders are found too, and the
// interpreter beside the program before all others.
func (h *Host) Environ(f Filter) ([]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	env, err := h.environment()
	if err != nil {
		return nil, err
	}
	chosen := map[string]string{}
	for _, kv := range env {
		name, v, ok := strings.Cut(kv, "=")
		if ok && name != "" && f.Admits(name) {
			chosen[name] = v
		}
	}
	folders := h.search(env)
	if f.Bin != "" {
		if program, err := h.lookup(f.Bin, env); err == nil { // else it cannot be started anyway
			folders = withInterpreter(program, folders)
		}
	}
	chosen["PATH"] = strings.Join(folders, string(filepath.ListSeparator))
	for name, v := range f.Set {
		chosen[name] = v
	}
	out := make([]string, 0, len(chosen))
	for name, v := range chosen {
		out = append(out, name+"="+v)
	}
	slices.Sort(out)
	return out, nil
}

// Names are the variables of an environment, without their values.
func Names(environ []string) []string {
	out := make([]string, len(environ))
	for i, kv := range environ {
		out[i], _, _ = strings.Cut(kv, "=")
	}
	return out
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		prefix, open := strings.CutSuffix(p, "*")
		return p == name || open && strings.HasPrefix(name, prefix)
	})
}

// environment is ours, overlaid by the file. The caller holds the lock.
func (h *Host) environment() ([]string, error) {
	if h.envFile == "" {
		return h.own, nil
	}
	extra, err := h.file.read(expandHome(h.envFile, home(h.own)))
	if err != nil {
		return nil, err
	}
	return slices.Concat(h.own, extra), nil
}
