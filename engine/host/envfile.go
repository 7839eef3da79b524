package host

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// environmentFile is the parsed file and what it was parsed from.
type environmentFile struct {
	path string
	info os.FileInfo
	vars []string
}

var variable = regexp.MustCompile(`^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$`)

// maxEnvFile bounds the file: a wrong path must not read a disk image.
const maxEnvFile = 1 << 20

// read returns the variables of the file as KEY=VALUE. It is parsed again when it
// has changed. The file holds keys, so one that others can read is refused.
func (f *environmentFile) read(path string) ([]string, error) {
	if !filepath.IsAbs(path) {
		// Whoever owns the folder that a client starts us in must not choose our keys.
		return nil, fmt.Errorf("gateway.envFile %q is a relative path: it must start with / or ~/", path)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the environment file of gateway.envFile cannot be read: %w; create it with mode 0600, or remove the setting", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("the environment file %s is not a regular file", path)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("the environment file %s can be read by others (mode %04o): chmod 600 %s", path, info.Mode().Perm(), path)
	case info.Size() > maxEnvFile:
		return nil, fmt.Errorf("the environment file %s has %d bytes, at most %d are allowed", path, info.Size(), maxEnvFile)
	}
	if f.path == path && os.SameFile(f.info, info) && f.info.ModTime().Equal(info.ModTime()) && f.info.Size() == info.Size() {
		return f.vars, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the environment file of gateway.envFile cannot be read: %w", err)
	}
	vars, err := parse(path, data)
	if err != nil {
		return nil, err
	}
	*f = environmentFile{path: path, info: info, vars: vars}
	return vars, nil
}

// parse reads KEY=VALUE lines: # begins a comment line, "export" in front is
// ignored, quotes around a value are taken off, and nothing is expanded.
func parse(path string, data []byte) ([]string, error) {
	var out []string
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		m := variable.FindStringSubmatch(line)
		if m == nil || strings.ContainsRune(line, 0) {
			// The line may hold a key: it is not shown.
			return nil, fmt.Errorf("%s:%d: want NAME=VALUE", path, i+1)
		}
		v := m[2]
		if n := len(v); n >= 2 && (v[0] == '"' || v[0] == '\'') && v[n-1] == v[0] {
			v = v[1 : n-1]
		}
		out = append(out, m[1]+"="+v)
	}
	return out, nil
}
