// Package lease tells whether a gateway lives: it holds a file locked as long as it does. A
// lock goes with its process, however that dies, and no process id is believed.
//
// It hides the files of a folder that belong to gateways, and which of them are left behind.
// It must not know what a job is.
package lease

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

const prefix, suffix = "gateway-", ".lease"

// FilesPrefix and JobsPrefix begin the names of what belongs to a gateway beside its lease:
// the files of one call, followed by the name of the gateway and a dash, and the folder of
// all its jobs, followed by the name.
const FilesPrefix, JobsPrefix = "files-", "jobs-"

// Lease is that of this process.
type Lease struct {
	Name string // of the gateway
	file *os.File
}

// Path is the lease of a gateway in a folder.
func Path(folder, name string) string { return filepath.Join(folder, prefix+name+suffix) }

// Take makes a lease under a new name; nil where nobody could tell whether it is held.
func Take(folder string) *Lease {
	name := store.NewID()
	file, err := os.OpenFile(Path(folder, name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil
	}
	if !Lock(file) {
		file.Close()
		os.Remove(file.Name())
		return nil
	}
	return &Lease{name, file}
}

// Release removes the lease.
func (l *Lease) Release() {
	os.Remove(l.file.Name())
	l.file.Close()
}

// Dead reports whether a gateway of that name has been in the folder and is gone.
func Dead(folder, name string) bool {
	if !store.ValidID(name) {
		return false
	}
	file, err := os.OpenFile(Path(folder, name), os.O_RDWR, 0)
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	defer file.Close()
	return Lock(file)
}

// RemoveDead removes the leases and the files of gateways that are gone.
func RemoveDead(folder string, dead func(name string) bool) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		owner := strings.TrimSuffix(strings.TrimPrefix(e.Name(), prefix), suffix)
		if rest, ok := strings.CutPrefix(e.Name(), FilesPrefix); ok {
			owner, _, _ = strings.Cut(rest, "-")
		}
		if rest, ok := strings.CutPrefix(e.Name(), JobsPrefix); ok {
			owner = rest
		}
		if dead(owner) {
			os.RemoveAll(filepath.Join(folder, e.Name()))
		}
	}
}
