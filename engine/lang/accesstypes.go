package lang

import (
	"encoding/json"
	"reflect"
)

// AskedLevels are the levels of access that the values of a parameter ask for.
type AskedLevels struct {
	Always string      // of every value; "" if it depends on the value
	Of     Map[string] // by RE2 of the whole value, the first that matches wins
}

// IsZero reports whether nothing is said.
func (a AskedLevels) IsZero() bool { return a.Always == "" && a.Of.IsZero() }

// UnmarshalJSON reads a level, or an object of levels.
func (a *AskedLevels) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &a.Always)
	}
	return json.Unmarshal(data, &a.Of)
}

// MarshalJSON writes the form that UnmarshalJSON reads.
func (a AskedLevels) MarshalJSON() ([]byte, error) {
	if a.Always != "" {
		return json.Marshal(a.Always)
	}
	return json.Marshal(a.Of)
}

// UnmarshalJSON reads a list of words, or the parts of a level.
func (l *LevelSpec) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, &l.Words)
	}
	type plain LevelSpec
	return json.Unmarshal(data, (*plain)(l))
}

// MarshalJSON writes the short form where that says all.
func (l LevelSpec) MarshalJSON() ([]byte, error) {
	if words := l.Words; words != nil {
		if l.Words = nil; reflect.ValueOf(l).IsZero() {
			return json.Marshal(words)
		}
		l.Words = words
	}
	type plain LevelSpec
	return json.Marshal(plain(l))
}

// LevelWord is words of a level that are written where a condition holds; a word alone is
// always written.
type LevelWord struct {
	When  string   `json:"when"`
	Words []string `json:"words"`
}

// UnmarshalJSON reads a word, or {when, words}.
func (w *LevelWord) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		w.Words = make([]string, 1)
		return json.Unmarshal(data, &w.Words[0])
	}
	type plain LevelWord
	return json.Unmarshal(data, (*plain)(w))
}

// MarshalJSON writes the form that UnmarshalJSON reads.
func (w LevelWord) MarshalJSON() ([]byte, error) {
	if w.When == "" && len(w.Words) == 1 {
		return json.Marshal(w.Words[0])
	}
	type plain LevelWord
	return json.Marshal(plain(w))
}
