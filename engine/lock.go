package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/setup"
	"github.com/llm-cli-gateway/gateway/engine/spec"
)

// Lock says what becomes of the lock of a folder, and how many files it has.
func Lock(dir string) (setup.Change, int, error) {
	files, diags := spec.ReadDir(dir)
	for _, d := range diags {
		if d.Severity == spec.Error {
			return setup.Change{}, 0, fmt.Errorf("%s", d)
		}
	}
	change, err := setup.Open(filepath.Join(dir, spec.LockName))
	change.New = spec.Lock(files)
	return change, len(files), err
}

// Lockable are the folders that have a lock or could have one: those of the paths, or
// without a path the user's and the further ones.
func Lockable(paths, further []string) (dirs []string) {
	if len(paths) == 0 {
		paths = append([]string{UserDir()}, further...)
	}
	return slices.DeleteFunc(paths, func(path string) bool {
		info, err := os.Stat(path)
		return err != nil || !info.IsDir()
	})
}

// Insist makes errors of what differs from a lock. With all, a folder without a lock is
// one as well.
func Insist(diags []spec.Diagnostic, dirs []string, all bool) []spec.Diagnostic {
	for i := range diags {
		if diags[i].Code == spec.CodeLocked {
			diags[i].Severity = spec.Error
		}
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, spec.LockName)); all && err != nil {
			diags = append(diags, spec.Diagnostic{File: dir, Code: spec.CodeLocked, Severity: spec.Error, Message: "has no " + spec.LockName, Hint: "gateway lock " + dir})
		}
	}
	return spec.Sort(diags)
}
