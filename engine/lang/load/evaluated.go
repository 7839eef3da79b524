package load

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/lang/kept"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// RestoreEvaluated reads a file that SaveEvaluated wrote. It ignores one that is missing,
// belongs to another build or schema, is damaged, or that another user owns, can write or
// can replace.
func (m *Memory) RestoreEvaluated(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.evaluated = map[sum][]byte{}
	for _, k := range kept.ReadAnswers(name) {
		m.evaluated[k.Sum] = k.Answer
	}
}

// SaveEvaluated writes the files that were evaluated for the last load, and further ones
// that were restored, to a file that only this user can read. It does nothing if the last
// load evaluated nothing new. The folder must exist.
func (m *Memory) SaveEvaluated(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	answers, fresh, used := []kept.Answer{}, false, map[sum]bool{}
	for key, p := range m.now.files {
		if p.answer == nil {
			continue
		}
		k := kept.Answer{Sum: evaluatedKey(key.name, key.text), Answer: p.answer}
		_, old := m.evaluated[k.Sum]
		answers, fresh, used[k.Sum] = append(answers, k), fresh || !old, true
	}
	if !fresh {
		return nil
	}
	for file, answer := range m.evaluated {
		if !used[file] {
			answers = append(answers, kept.Answer{Sum: file, Answer: answer})
		}
	}
	slices.SortFunc(answers, func(a, b kept.Answer) int {
		inUse := map[bool]int{true: 0, false: 1}
		return cmp.Or(inUse[used[a.Sum]]-inUse[used[b.Sum]], kept.Compare(a.Sum, b.Sum))
	})
	written, err := kept.WriteAnswers(name, answers)
	if err != nil {
		return err
	}
	m.evaluated = map[sum][]byte{}
	for _, k := range written {
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
