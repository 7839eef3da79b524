// Package disk gives tests file systems of their own: small ones, which are soon full,
// and one whose power can be cut at any moment.
//
// They are mounted, which takes Linux, root and, but for one in memory, loop devices and
// mkfs.ext4. A test that cannot have one is skipped, and says why. Nothing here knows what
// is tested.
package disk

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// each are the ways to mount a file system of some bytes on a directory.
var each = map[string]func(t testing.TB, dir string, bytes int){
	"tmpfs": func(t testing.TB, dir string, bytes int) {
		mount(t, dir, "-t", "tmpfs", "-o", "mode=700,size="+strconv.Itoa(bytes), "tmpfs")
	},
	"ext4": func(t testing.TB, dir string, bytes int) {
		Mount(t, ext4(t, filepath.Join(t.TempDir(), "image"), bytes), dir)
	},
}

// Each runs a test on an empty file system of each kind; root is an absolute path. What is
// mounted goes with the test.
func Each(t *testing.T, bytes int, test func(t *testing.T, root string)) {
	for kind, mount := range each {
		t.Run(kind, func(t *testing.T) {
			root := t.TempDir()
			mount(t, root, bytes)
			test(t, root)
		})
	}
}

// Fill leaves no byte free on the file system of a folder, until release.
func Fill(t testing.TB, folder string) (release func()) {
	t.Helper()
	file, err := os.CreateTemp(folder, "filler-*")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	// Space that is only promised comes free again when the rest has its place.
	for full, n := false, 1<<20; !full; n = 1 << 20 {
		full = true
		for n > 0 {
			switch _, err := file.Write(make([]byte, n)); {
			case err == nil:
				full = false
			case errors.Is(err, syscall.ENOSPC):
				n /= 2
			default:
				t.Fatal(err)
			}
		}
		if err := file.Sync(); err != nil && !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	return func() {
		t.Helper()
		if err := os.Remove(file.Name()); err != nil {
			t.Fatal(err)
		}
	}
}

// ext4 makes an image of a file system in a file.
func ext4(t testing.TB, image string, bytes int) string {
	t.Helper()
	file, err := os.Create(image)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(file.Truncate(int64(bytes)), file.Close())
	if err != nil {
		t.Fatal(err)
	}
	must(t, "mkfs.ext4", "-q", "-F", "-m", "0", image)
	return image
}

// Mount mounts the image of a file system on a directory for as long as the test lasts.
func Mount(t testing.TB, image, dir string) {
	t.Helper()
	mount(t, dir, "-t", "ext4", "-o", "loop", image)
}

func mount(t testing.TB, dir string, args ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may mount a file system")
	}
	must(t, "mount", append(args, dir)...)
	t.Cleanup(func() { unmount(t, dir) })
}

// unmount also takes away what is still in use: its users keep it until they end.
func unmount(t testing.TB, dir string) {
	if _, err := run("umount", "-l", dir); err != nil {
		t.Errorf("umount %s: %v", dir, err)
	}
}

// must runs a program without which there is no test.
func must(t testing.TB, program string, args ...string) {
	t.Helper()
	if _, err := run(program, args...); err != nil {
		t.Skipf("no file system for this test: %s: %v", program, err)
	}
}

// run runs a program of the system, wherever such ones lie. The error has what it printed.
func run(program string, args ...string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		path = "/usr/sbin/" + program
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil && text != "" {
		err = errors.New(strings.ReplaceAll(text, "\n", "; "))
	}
	return text, err
}
