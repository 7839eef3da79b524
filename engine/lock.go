package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/configedit"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// Lock returns the change of the lock of a folder, and the number of its files.
func Lock(dir string) (configedit.Change, int, error) {
	files, diags := specfiles.ReadDir(dir)
	for _, d := range diags {
		if d.Severity == diagnostic.Error {
			return configedit.Change{}, 0, fmt.Errorf("%s", d)
		}
	}
	change, err := configedit.Open(filepath.Join(dir, specfiles.LockName))
	change.New = specfiles.Lock(files)
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

// RequireLock makes errors of what differs from a lock. With all, a folder without a lock is
// one as well.
func RequireLock(diags []diagnostic.Diagnostic, dirs []string, all bool) []diagnostic.Diagnostic {
	for i := range diags {
		if diags[i].Code == specfiles.CodeLocked {
			diags[i].Severity = diagnostic.Error
		}
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, specfiles.LockName)); all && err != nil {
			diags = append(diags, diagnostic.Diagnostic{File: dir, Code: specfiles.CodeLocked, Severity: diagnostic.Error, Message: "has no " + specfiles.LockName, Hint: "gateway lock " + dir})
		}
	}
	return diagnostic.Sort(diags)
}
