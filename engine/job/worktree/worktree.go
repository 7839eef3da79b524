// Package worktree tells which working tree a directory is in, so that jobs which would undo
// each other's work are found.
//
// It hides by what a tree is recognized. It must not know what a job is.
package worktree

import (
	"os"
	"path/filepath"

	"github.com/llm-cli-gateway/gateway/engine/trust"
)

// Of is the working tree of a directory: the nearest folder above that is one of git, else
// the directory itself.
func Of(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		if filepath.Dir(at) == at {
			return dir
		}
	}
}

// Overlap reports whether one of two directories is, or holds, the other.
func Overlap(a, b string) bool {
	return trust.Below(a, []string{b}) || trust.Below(b, []string{a})
}
