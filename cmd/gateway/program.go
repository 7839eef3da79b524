package main

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// self is how the gateway is started from outside.
type self struct {
	path  string
	build string // command that makes path, where the running program is temporary
}

// program finds the path of the gateway, or where it will be built if `go run` started it.
func program() self {
	exe, err := os.Executable()
	if err != nil {
		return self{path: "gateway"}
	}
	if !temporary(exe) {
		return self{path: exe}
	}
	name := "gateway"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	for dir, _ := os.Getwd(); dir != "" && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "cmd", "gateway", "demo.cue")); err == nil {
			return self{filepath.Join(dir, "bin", name), "go build -C " + lang.ShellWord(dir) + " -o bin/" + name + " ./cmd/gateway"}
		}
	}
	return self{name, "go install github.com/llm-cli-gateway/gateway/cmd/gateway@latest"}
}

// temporary reports whether a program is one that `go run` made: it lies in a work
// folder of the go command, or in its cache.
func temporary(exe string) bool {
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(filepath.Dir(exe)), "/"), func(folder string) bool {
		return strings.HasPrefix(folder, "go-build")
	})
}
