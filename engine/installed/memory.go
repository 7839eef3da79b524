package installed

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang/version"
)

// stamp distinguishes two states of a file. Neither installers nor archives
// keep the time of the last change of a file's record from moving.
type stamp struct {
	Size    int64 `json:"size"`
	Written int64 `json:"written"` // nanoseconds since 1970
	Changed int64 `json:"changed"` // likewise, of the record of the file; 0 where there is none
}

func stampOf(info fs.FileInfo) stamp {
	return stamp{Size: info.Size(), Written: info.ModTime().UnixNano(), Changed: changed(info)}
}

// entry is an answer in the file. Only good ones are written down.
type entry struct {
	Path    string    `json:"path"`
	Argv    string    `json:"argv"`
	Want    string    `json:"want,omitempty"`
	Stamp   stamp     `json:"stamp"`
	Version string    `json:"version"`
	At      time.Time `json:"at"`
}

// maxEntries bounds the file in bytes; a longer one is none of ours.
const maxEntries = 1 << 20

// load reads the file once. One that cannot be used is as good as none: it saves time
// and nothing else. The caller holds the lock.
func (p *Prober) load() {
	if p.read {
		return
	}
	p.read, p.known, p.asking = true, map[question]answer{}, map[question]chan struct{}{}
	for _, e := range p.entries() {
		p.known[question{e.Path, e.Argv, e.Want}] = answer{stamp: e.Stamp, version: e.Version, at: e.At}
	}
}

func (p *Prober) entries() (good []entry) {
	if p.File == "" {
		return nil
	}
	info, err := os.Stat(p.File)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxEntries {
		return nil
	}
	text, err := os.ReadFile(p.File)
	var file struct{ Programs []entry }
	if err != nil || json.Unmarshal(text, &file) != nil {
		return nil
	}
	for _, e := range file.Programs {
		if _, ok := version.Parse(e.Version); ok && p.clock().Sub(e.At) < answerTTL {
			good = append(good, e)
		}
	}
	return good
}

// save puts what is known about one question into the file, beside what other gateways
// wrote meanwhile. A file that cannot be written costs the next gateway time and this
// one nothing. The caller holds the lock.
func (p *Prober) save(q question) {
	if p.File == "" {
		return
	}
	file := struct {
		Programs []entry `json:"programs"`
	}{Programs: []entry{}}
	for _, e := range p.entries() {
		if (question{e.Path, e.Argv, e.Want}) != q {
			file.Programs = append(file.Programs, e)
		}
	}
	if a, ok := p.known[q]; ok && a.err == nil && a.said == "" {
		file.Programs = append(file.Programs, entry{q.path, q.argv, q.want, a.stamp, a.version, a.at})
	}
	text, err := json.Marshal(file)
	if err != nil || os.MkdirAll(filepath.Dir(p.File), 0o700) != nil {
		return
	}
	temporary, err := os.CreateTemp(filepath.Dir(p.File), filepath.Base(p.File)+".*")
	if err != nil {
		return
	}
	_, err = temporary.Write(text)
	if closing := temporary.Close(); err != nil || closing != nil || os.Rename(temporary.Name(), p.File) != nil {
		_ = os.Remove(temporary.Name())
	}
}
