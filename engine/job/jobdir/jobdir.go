// Package jobdir knows the directories of jobs: what they are called, which of them belong
// together, and the copy of the row that lies in each.
//
// Each attempt of a job has a directory of its own, and that of the first has the name of the job. It
// hides their names and the form of the copy. It must not know the record, nor how a job is run.
package jobdir

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/job/storedcall"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

const mark = "-" // before the number of an attempt; no id has one

// Name is the name of the directory of an attempt of a job, from 1.
func Name(id string, n int) string {
	if n <= 1 {
		return id
	}
	return id + mark + strconv.Itoa(n)
}

// Job is the id of the job that has a directory of that name.
func Job(name string) string {
	id, _, _ := strings.Cut(name, mark)
	return id
}

// Last is the path of the directory of the last attempt of a job, in the folder of all.
func Last(folder, id string) string {
	path := filepath.Join(folder, id)
	for n := 2; ; n++ {
		next := filepath.Join(folder, Name(id, n))
		if _, err := os.Lstat(next); err != nil {
			return path
		}
		path = next
	}
}

// Remove removes the directories of a job, the last first: what is left is found by the first.
func Remove(folder, id string) error {
	for {
		path := Last(folder, id)
		dir, err := supervisor.Open(path)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, supervisor.ErrUnsupported) {
			return nil
		}
		if err == nil {
			err = dir.Remove()
		}
		if err != nil || filepath.Base(path) == id {
			return err
		}
	}
}

// RemoveUnstarted removes a directory whose gateway died before it started the job. Of one that
// is being started somebody holds the lease.
func RemoveUnstarted(path string) {
	dir, err := supervisor.Open(path)
	if err != nil {
		return
	}
	if s, err := dir.State(); err == nil && s.Phase == supervisor.Lost && s.Start == (supervisor.Start{}) {
		_ = dir.Remove() // who makes it anew says why that is not possible
	}
}

// File lies in the directory of a job, beside the files of its supervisor and those of its call.
const File = "row.json"

// Manifest is what File holds: what is on record, for when the record is lost.
type Manifest struct {
	Record string // to which the job belongs
	Row    store.Job
	Call   *storedcall.Call `json:",omitempty"` // for another attempt; nil if there is none
}

// Write puts the manifest into a directory.
func (m Manifest) Write(dir string) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, File), text, 0o600)
}

// Read reads the manifest of a directory.
func Read(dir string) (m Manifest, err error) {
	text, err := os.ReadFile(filepath.Join(dir, File))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	return m, err
}

// Row is the live row in the manifest of a directory, if it belongs to a record; false if there is none.
func Row(dir, record string) (store.Job, bool) {
	m, err := Read(dir)
	row := m.Row
	row.Principal, row.State = cmp.Or(row.Principal, store.Local), store.Live // earlier gateways did not write the first
	return row, err == nil && m.Record == record && row.Tool != "" && Name(row.ID, row.N()) == filepath.Base(dir)
}

// Orphan is a directory of which the record knows no job.
type Orphan struct {
	Dir   *supervisor.Dir
	State supervisor.State
	Made  time.Time
}

// Orphans are the directories in a folder of which nobody knows the job, but for those made since
// a time in which nothing has begun: their row may be on its way.
func Orphans(folder string, since time.Time, unknown func(id string) bool) (found []Orphan, err error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if o, ok := OrphanOf(filepath.Join(folder, entry.Name()), since, unknown); ok {
			found = append(found, o)
		}
	}
	return found, nil
}

// OrphanOf is Orphans for one directory.
func OrphanOf(path string, since time.Time, unknown func(id string) bool) (found Orphan, ok bool) {
	id := Job(filepath.Base(path))
	made := store.IDTime(id)
	if made.IsZero() || !unknown(id) {
		return found, false
	}
	dir, err := supervisor.Open(path)
	if err != nil {
		return found, false
	}
	s, err := dir.State()
	begun := s.Start != (supervisor.Start{}) // so there was a row
	return Orphan{dir, s, made}, err == nil && (begun || !made.After(since))
}
