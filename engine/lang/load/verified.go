package load

import (
	"maps"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/lang/kept"
)

// Restore reads a file of verified entries that Save wrote. It ignores one that is
// missing, belongs to another build or schema, is malformed, or that another user owns,
// can write or can replace.
func (m *Memory) Restore(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.restored = kept.ReadSums(name)
}

// Save writes the entries that the last load found to fit the schema, and further ones
// that were restored, to a file that only this user can read. It does nothing if the
// last load verified nothing new. The folder must exist.
func (m *Memory) Save(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	sums := slices.SortedFunc(maps.Keys(m.now.sound), kept.Compare)
	if !slices.ContainsFunc(sums, func(s sum) bool { return !m.restored[s] }) {
		return nil
	}
	for _, s := range slices.SortedFunc(maps.Keys(m.restored), kept.Compare) {
		if !m.now.sound[s] {
			sums = append(sums, s)
		}
	}
	written, err := kept.WriteSums(name, sums)
	if err == nil {
		m.restored = written
	}
	return err
}
