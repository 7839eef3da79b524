package version

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/plan"
)

// Signs of a login. That there is none means little where a system keeps logins in a
// place of its own.
const (
	LoginFound   = "found"
	LoginNone    = "none"
	LoginUnknown = "unknown" // the spec does not say how to see it
)

// login looks for a sign of a login. It reads no file and shows no value; environ is
// what the CLI would get.
func login(spec plan.LoginSpec, environ []string) (state, by string) {
	if len(spec.Env) == 0 && len(spec.Files) == 0 {
		return LoginUnknown, ""
	}
	value := func(name string) string {
		for _, kv := range environ {
			if v, ok := strings.CutPrefix(kv, name+"="); ok {
				return v
			}
		}
		return ""
	}
	home := value("HOME")
	if home == "" {
		home = host.Home()
	}
	for _, name := range spec.Env {
		if value(name) != "" {
			return LoginFound, "variable " + name
		}
	}
	for _, file := range spec.Files {
		path := place(file, value, home)
		if info, err := os.Stat(path); path != "" && err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			return LoginFound, "file " + path
		}
	}
	return LoginNone, ""
}

// place is the path that a spec writes with ~ or {VARIABLE:~/folder} in front; "" if
// that comes to no absolute path.
func place(file string, value func(string) string, home string) string {
	if rest, ok := strings.CutPrefix(file, "{"); ok {
		inner, after, _ := strings.Cut(rest, "}")
		name, otherwise, _ := strings.Cut(inner, ":")
		folder := value(name)
		if folder == "" {
			folder = otherwise
		}
		if folder == "" {
			return ""
		}
		file = folder + after
	}
	if rest, ok := strings.CutPrefix(file, "~/"); ok && home != "" {
		file = filepath.Join(home, rest)
	}
	if !filepath.IsAbs(file) {
		return ""
	}
	return filepath.Clean(file)
}
