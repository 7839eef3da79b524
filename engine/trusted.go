package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
	"github.com/llm-cli-gateway/gateway/engine/trust"
)

// trusted knows the directories that somebody has trusted: on the list, or by a setting.
type trusted struct{ list trust.List }

func trustList() trust.List { return trust.List{File: filepath.Join(StateDir(), "trusted")} }

// Trusted implements call.Trust. A list that cannot be read trusts nothing; doctor says so.
func (t trusted) Trusted(c *catalog.Catalog, dir string, roots []string) bool {
	settings := c.Settings.Access
	if settings.TrustRoots && trust.Below(dir, roots) {
		return true
	}
	places := make([]string, 0, len(settings.Trusted))
	for _, place := range settings.Trusted {
		if rest, ok := strings.CutPrefix(place, "~"); ok {
			place = filepath.Join(homeDir(), rest)
		}
		places = append(places, place)
	}
	if trust.Below(dir, places) {
		return true
	}
	if LocksTrust(c) {
		return false
	}
	listed, err := t.list.Dirs()
	return err == nil && trust.Below(dir, listed)
}

// LocksTrust reports whether the site alone says which directories are trusted.
func LocksTrust(c *catalog.Catalog) bool { return slices.Contains(c.Settings.Locked, "trust") }

// TrustedDirs are the directories on the list.
func TrustedDirs() ([]string, error) { return trustList().Dirs() }

// TrustDir puts a directory on the list, or takes it off, and returns it as the list has it.
func TrustDir(dir string, on bool) (string, error) {
	if len(supervisor.EnclosingJobs()) > 0 {
		return "", errors.New("an agent that runs inside a job cannot decide which directories are trusted")
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if !on {
		was, err := trustList().Remove(absolute)
		if real, wrong := filepath.EvalSymlinks(absolute); err == nil && !was && wrong == nil {
			absolute = real
			was, err = trustList().Remove(real)
		}
		if err == nil && !was {
			err = fmt.Errorf("%s is not on the list", absolute)
		}
		return absolute, err
	}
	real, err := filepath.EvalSymlinks(absolute)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(real); err != nil || !info.IsDir() {
		return "", errors.Join(fmt.Errorf("%s is not a directory", real), err)
	}
	if trust.Below(homeDir(), []string{real}) {
		return "", fmt.Errorf("%s is the root of a file system, or holds your home: trust the directories of your projects", real)
	}
	return real, trustList().Add(real)
}

// emptyDir makes the empty directory in which calls run that have no directory and only
// read. Something in it, whoever put it there, makes it unusable.
func emptyDir() (string, error) {
	dir := filepath.Join(StateDir(), "empty")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s is not empty", dir)
	}
	return dir, err
}
