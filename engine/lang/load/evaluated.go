package load

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/gob"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// A file of evaluated files lets the next process skip their evaluation, and the start of a
// process for it. It contains what an Evaluator returned, by the checksum of the name and
// the text of each file.
const (
	evaluatedFormat   = "evaluated specs 1" // changes when EvaluateFile returns something else
	maxEvaluatedFile  = 16 << 20            // bytes
	maxEvaluatedFiles = 256                 // those in use come first
)

// keptFile is an evaluated file.
type keptFile struct {
	Sum    sum
	Answer []byte
}

// RestoreEvaluated reads a file that SaveEvaluated wrote. It ignores one that is missing,
// belongs to another build or schema, is damaged, or that another user owns, can write or
// can replace.
func (m *Memory) RestoreEvaluated(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.evaluated = map[sum][]byte{}
	for _, k := range readEvaluated(name) {
		m.evaluated[k.Sum] = k.Answer
	}
}

// SaveEvaluated writes the files that were evaluated for the last load, and further ones
// that were restored, to a file that only this user can read. It does nothing if the last
// load evaluated nothing new. The folder must exist.
func (m *Memory) SaveEvaluated(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept, fresh, used := []keptFile{}, false, map[sum]bool{}
	for key, p := range m.now.files {
		if p.answer == nil {
			continue
		}
		k := keptFile{evaluatedKey(key.name, key.text), p.answer}
		_, old := m.evaluated[k.Sum]
		kept, fresh, used[k.Sum] = append(kept, k), fresh || !old, true
	}
	if !fresh {
		return nil
	}
	for file, answer := range m.evaluated {
		if !used[file] {
			kept = append(kept, keptFile{file, answer})
		}
	}
	slices.SortFunc(kept, func(a, b keptFile) int {
		inUse := map[bool]int{true: 0, false: 1}
		return cmp.Or(inUse[used[a.Sum]]-inUse[used[b.Sum]], compareSums(a.Sum, b.Sum))
	})
	size := 0
	for i, k := range kept {
		if size += len(k.Answer) + len(k.Sum); size > maxEvaluatedFile/2 || i == maxEvaluatedFiles {
			kept = kept[:i]
			break
		}
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(kept); err != nil {
		return err
	}
	if err := writeVerified(name, slices.Concat(evaluatedHead(b.Bytes()), b.Bytes())); err != nil {
		return err
	}
	m.evaluated = map[sum][]byte{}
	for _, k := range kept {
		m.evaluated[k.Sum] = k.Answer
	}
	return nil
}

// keepAnswer is e, which takes what was evaluated before from m, and notes in answer what it gives.
func (m *Memory) keepAnswer(e Evaluation, answer *[]byte) Evaluation {
	if e.Run == nil {
		return e
	}
	run := e.Run
	e.Run = func(f specfiles.File, l Limits) (data []byte, err error) {
		if data = m.evaluated[evaluatedKey(f.Name, sha256.Sum256(f.Data))]; data == nil {
			data, err = run(f, l)
		}
		*answer = data
		return data, err
	}
	return e
}

func evaluatedKey(name string, text sum) sum {
	return sha256.Sum256(fmt.Appendf(nil, "%q %x", name, text))
}

// evaluatedHead is how a file with that body begins.
func evaluatedHead(body []byte) []byte {
	return fmt.Appendf(nil, "%s; %s; %x\n", evaluatedFormat, verifiedHead(), sha256.Sum256(body))
}

func readEvaluated(name string) (kept []keptFile) {
	if _, why, _ := specfiles.ForeignFolder(filepath.Dir(name)); why != "" {
		return nil
	}
	f, err := openOwn(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxEvaluatedFile))
	if err != nil {
		return nil
	}
	head, body, _ := bytes.Cut(text, []byte("\n"))
	if !bytes.Equal(append(head[:len(head):len(head)], '\n'), evaluatedHead(body)) || gob.NewDecoder(bytes.NewReader(body)).Decode(&kept) != nil {
		return nil
	}
	return kept
}
