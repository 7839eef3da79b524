// Package host knows the machine the gateway runs on: where programs are installed
// and which environment they are to be given.
//
// It hides the search path, its well-known additions and the environment file. It
// runs nothing and must not know what a program is for.
package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/catalog/argvtemplate"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Host finds programs and makes environments. Its methods may be called from any
// goroutine.
type Host struct {
	own     []string // our environment, KEY=VALUE
	folders []string // searched after PATH; may hold ~ and *
	envFile string   // "" for none

	mu    sync.Mutex
	found map[string]string // program by name, as far as it was looked up
	path  []string          // search path, nil until it is needed
	from  string            // PATH and home that it was made from
	file  environmentFile
}

// New makes a host. The environment is ours, as os.Environ gives it; folders are
// searched after its PATH, with ~ and * expanded; envFile ("" for none) holds
// further variables for the programs.
//
// Clients may start us without HOME; programs would then not find their logins.
func New(environ, folders []string, envFile string) *Host {
	own := slices.Clone(environ)
	if dir := Home(); runtime.GOOS != "windows" && dir != "" && value(own, "HOME") == "" {
		own = append(own, "HOME="+dir)
	}
	return &Host{own: own, folders: folders, envFile: envFile, found: map[string]string{}}
}

// Configure replaces what New was given by other settings.
func (h *Host) Configure(folders []string, envFile string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if slices.Equal(folders, h.folders) && envFile == h.envFile {
		return
	}
	h.folders, h.envFile = folders, envFile
	h.path, h.found = nil, map[string]string{}
}

// Home is the absolute home folder of the user, as the environment says or, where it
// does not, the system; "" if neither knows one.
func Home() string {
	if dir, err := os.UserHomeDir(); err == nil && filepath.IsAbs(dir) {
		return dir
	}
	if who, err := user.Current(); err == nil && filepath.IsAbs(who.HomeDir) {
		return who.HomeDir
	}
	return ""
}

// NotFoundError says that a program is not installed where the gateway looks.
type NotFoundError struct {
	Bin    string
	Looked []string // folders, in the order in which they were searched
}

// NotExecutableError says that there is a file of a program's name, which cannot be executed.
type NotExecutableError struct{ Path string }

func (e *NotExecutableError) Error() string { return e.Path + " exists, but is not executable" }

// Fix says how it becomes executable.
func (e *NotExecutableError) Fix() string { return "chmod +x " + lang.ShellWord(e.Path) }

func (e *NotFoundError) Error() string {
	looked := strings.Join(e.Looked, ", ")
	if looked == "" {
		looked = "no folder, since PATH is empty"
	}
	return fmt.Sprintf("the program %q was not found; looked in %s", e.Bin, looked)
}

// Find returns the absolute path of a program. A result is kept; it is looked up
// again when the file is no longer there, so an upgrade that moves it does no harm.
func (h *Host) Find(bin string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if path := h.known(bin); path != "" {
		return path, nil
	}
	env, err := h.environment()
	if err != nil {
		return "", err
	}
	h.path = nil // what is missing may have been installed into a folder that is new
	return h.lookup(bin, env)
}

// known is where a program was found that is still there, or "". The caller holds the lock.
func (h *Host) known(bin string) string {
	path := h.found[bin]
	if path != "" && executable(path) != nil {
		delete(h.found, bin)
		return ""
	}
	return path
}

// lookup finds a program in the folders that are known. The caller holds the lock.
func (h *Host) lookup(bin string, env []string) (string, error) {
	if path := h.known(bin); path != "" {
		return path, nil
	}
	path, err := find(bin, h.search(env), home(env))
	if err == nil {
		h.found[bin] = path
	}
	return path, err
}

// Installed reports which of some programs Find would find, or fail to find for a reason
// that holds for all of them. The folders are made out once for all, and those that are
// not there are passed over: of a machine's usual ones that is most.
func (h *Host) Installed(bins []string) []bool {
	out := make([]bool, len(bins))
	h.mu.Lock()
	defer h.mu.Unlock()
	env, err := h.environment()
	var folders []string
	for i, bin := range bins {
		if out[i] = err != nil || executable(h.found[bin]) == nil; out[i] {
			continue
		}
		if folders == nil {
			h.path = nil
			folders = slices.DeleteFunc(slices.Clone(h.search(env)), func(dir string) bool { _, err := os.Stat(dir); return err != nil })
		}
		path, err := find(bin, folders, home(env))
		if out[i] = err == nil; out[i] {
			h.found[bin] = path
		}
	}
	return out
}

func find(bin string, folders []string, home string) (string, error) {
	missing := &NotFoundError{Bin: bin, Looked: folders}
	candidates := []string{}
	if strings.ContainsAny(bin, `/\`) {
		path := expandHome(bin, home)
		if !filepath.IsAbs(path) {
			return "", fmt.Errorf("the program %q is a relative path: use its name or its absolute path", bin)
		}
		missing.Looked = []string{filepath.Dir(path)}
		candidates = append(candidates, path)
	} else {
		for _, dir := range folders {
			candidates = append(candidates, filepath.Join(dir, bin))
		}
	}
	broken := ""
	for _, path := range candidates {
		for _, ext := range extensions() {
			switch err := executable(path + ext); {
			case err == nil:
				return path + ext, throughShell(path + ext)
			case !errors.Is(err, fs.ErrNotExist) && broken == "":
				broken = path + ext
			}
		}
	}
	if broken != "" {
		return "", &NotExecutableError{broken}
	}
	return "", missing
}

// throughShell refuses a link to a shell: under whatever name, it would run what its
// arguments say.
func throughShell(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err == nil && real != path && argvtemplate.IsShell(real) {
		return fmt.Errorf("the program %s is a link to %s, which runs other programs from its arguments: name the program itself", path, real)
	}
	return nil
}

// extensions are what Windows appends to a program's name.
func extensions() []string {
	if runtime.GOOS == "windows" {
		return []string{".exe", ".cmd", ".bat", ""}
	}
	return []string{""}
}

func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fs.ErrNotExist
	case info.IsDir():
		return fs.ErrNotExist
	case !info.Mode().IsRegular(), runtime.GOOS != "windows" && info.Mode()&0o111 == 0:
		return fs.ErrPermission
	}
	return nil
}

// search is PATH and the well-known folders behind it, each once, absolute ones only:
// a program must not be taken from wherever the gateway happens to stand.
func (h *Host) search(env []string) []string {
	from := value(env, "PATH") + "\x00" + home(env)
	if h.path != nil && h.from == from {
		return h.path
	}
	var out []string
	add := func(dir string) {
		if filepath.IsAbs(dir) && !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	for _, dir := range filepath.SplitList(value(env, "PATH")) {
		add(dir)
	}
	for _, pattern := range h.folders {
		if !strings.Contains(pattern, "*") {
			add(expandHome(pattern, home(env)))
			continue
		}
		matches, _ := filepath.Glob(expandHome(pattern, literal.Replace(home(env))))
		// Newest version first, as far as names show it.
		slices.SortFunc(matches, func(a, b string) int { return compareVersions(b, a) })
		for _, m := range matches {
			add(m)
		}
	}
	h.path, h.from = out, from
	return out
}

// literal keeps what stands in the name of a home from being a pattern.
var literal = strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`)

// compareVersions orders v9 before v10, unlike the alphabet.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		x, restA := leading(a)
		y, restB := leading(b)
		if len(x) != len(y) && isDigit(x[0]) && isDigit(y[0]) {
			return len(x) - len(y)
		}
		if c := strings.Compare(x, y); c != 0 {
			return c
		}
		a, b = restA, restB
	}
	return len(a) - len(b)
}

// leading splits off the first run of digits, or the first character.
func leading(s string) (string, string) {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	n = max(n, 1)
	return s[:n], s[n:]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func home(env []string) string {
	if dir := value(env, "HOME"); dir != "" {
		return dir
	}
	return Home()
}

func expandHome(path, home string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && home != "" && (rest == "" || rest[0] == '/') {
		return filepath.Join(home, rest)
	}
	return path
}

// value returns the last setting of a variable.
func value(env []string, name string) string {
	for _, kv := range slices.Backward(env) {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			return v
		}
	}
	return ""
}
