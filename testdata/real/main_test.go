// Package real drives the real command-line programs through a real `gateway
// serve`: over stdio, in homes of their own, against the fake model server.
//
// What differs from program to program is one row of a table (clis_test.go); every
// test runs over the whole table. install.sh installs the programs.
package real

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	gatewayBin string // the gateway under test
	clisDir    string // what install.sh made
	searchPath string // PATH with the CLIs, and node for their launchers
)

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == serverSwitch {
		beServer(os.Args[2], os.Args[3])
		return
	}
	// The programs wait more than they compute.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	code, err := main(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func main(m *testing.M) (int, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return 1, err
	}
	clisDir = filepath.Join(root, ".clis")
	bin := filepath.Join(clisDir, "node_modules", ".bin")
	for _, c := range clis {
		if _, err := os.Stat(filepath.Join(bin, c.name)); err != nil {
			return 1, fmt.Errorf("%w\nthe real CLIs are not installed: run testdata/real/install.sh", err)
		}
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return 1, err
	}
	searchPath = bin + ":" + filepath.Dir(node) + ":/usr/bin:/bin"

	dir, err := os.MkdirTemp("", "gateway-real-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	gatewayBin = filepath.Join(dir, "gateway")
	build := exec.Command("go", "build", "-o", gatewayBin, "./cmd/gateway")
	build.Dir, build.Stderr = root, os.Stderr
	if err := build.Run(); err != nil {
		return 1, fmt.Errorf("the gateway does not build: %w", err)
	}
	return m.Run(), nil
}
