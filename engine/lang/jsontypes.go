package lang

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
)

// Map is a JSON object that keeps the order in which its keys were written, since
// that is the order a person chose for parameters and flags.
type Map[T any] struct {
	keys []string
	by   map[string]T
}

// Len is the number of keys.
func (m Map[T]) Len() int { return len(m.keys) }

// IsZero lets encoding/json leave an empty map out.
func (m Map[T]) IsZero() bool { return len(m.keys) == 0 }

// Keys are the keys in written order; the caller must not change them.
func (m Map[T]) Keys() []string { return m.keys }

// Get returns the value of a key.
func (m Map[T]) Get(key string) (T, bool) { v, ok := m.by[key]; return v, ok }

// All yields keys and values in written order.
func (m Map[T]) All() iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for _, k := range m.keys {
			if !yield(k, m.by[k]) {
				return
			}
		}
	}
}

// MapOf is a map with one key.
func MapOf[T any](key string, v T) (m Map[T]) {
	m.Set(key, v)
	return m
}

// Given reports whether the map was written, be it an empty one.
func (m Map[T]) Given() bool { return m.by != nil }

// Delete removes a key, if it is there.
func (m *Map[T]) Delete(key string) {
	m.keys = slices.DeleteFunc(m.keys, func(k string) bool { return k == key })
	delete(m.by, key)
}

// Set gives a key a value; a new key comes last.
func (m *Map[T]) Set(key string, v T) {
	if m.by == nil {
		m.by = map[string]T{}
	}
	if _, old := m.by[key]; !old {
		m.keys = append(m.keys, key)
	}
	m.by[key] = v
}

// UnmarshalJSON reads an object; a key that comes twice keeps its first place and
// its last value.
func (m *Map[T]) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	if tok == nil {
		return nil
	}
	if tok != json.Delim('{') {
		return fmt.Errorf("want an object, got %v", tok)
	}
	*m = Map[T]{by: map[string]T{}}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		var v T
		if err := dec.Decode(&v); err != nil {
			return err
		}
		m.Set(key.(string), v)
	}
	return nil
}

// MarshalJSON writes the keys in their order.
func (m Map[T]) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, k := range m.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(k)
		if err != nil {
			return nil, err
		}
		val, err := json.Marshal(m.by[k])
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(val)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Mode is how a call relates to earlier conversations.
type Mode string

// The modes of a call.
const (
	New    Mode = "new"    // starts a conversation
	Resume Mode = "resume" // continues the conversation of a given id
	Latest Mode = "latest" // continues the newest one of the working directory
)

// Adjective describes the conversation of a call in the mode, as in "resumed".
func (m Mode) Adjective() string {
	switch m {
	case Resume:
		return "resumed"
	case Latest:
		return "continued"
	}
	return "new"
}

// ArgvSpec is a command line for every mode, or one for each. Resume and Latest
// are nil where the spec gives one list for all.
type ArgvSpec struct {
	New, Resume, Latest []string
}

// UnmarshalJSON reads a list of words or {new, resume, latest}.
func (a *ArgvSpec) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, &a.New)
	}
	var modes struct{ New, Resume, Latest []string }
	if err := json.Unmarshal(data, &modes); err != nil {
		return err
	}
	*a = ArgvSpec(modes)
	return nil
}

// MarshalJSON writes the form that UnmarshalJSON reads.
func (a ArgvSpec) MarshalJSON() ([]byte, error) {
	if a.Resume == nil && a.Latest == nil {
		return json.Marshal(a.New)
	}
	return json.Marshal(struct {
		New    []string `json:"new"`
		Resume []string `json:"resume,omitzero"` // empty is not absent: the mode has a list of its own
		Latest []string `json:"latest,omitzero"`
	}(a))
}

// UnmarshalJSON reads an expression or {when, take, fold}.
func (t *TakeSpec) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &t.Take)
	}
	type plain TakeSpec
	return json.Unmarshal(data, (*plain)(t))
}

// ValueSet is all values of a parameter, or some of them.
type ValueSet struct {
	All    bool
	Values []string
}

// IsZero reports whether no value belongs to the set.
func (d ValueSet) IsZero() bool { return !d.All && len(d.Values) == 0 }

// UnmarshalJSON reads a bool or a list of values.
func (d *ValueSet) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, &d.Values)
	}
	return json.Unmarshal(data, &d.All)
}

// MarshalJSON writes the form that UnmarshalJSON reads.
func (d ValueSet) MarshalJSON() ([]byte, error) {
	if d.Values != nil {
		return json.Marshal(d.Values)
	}
	return json.Marshal(d.All)
}

// Shown names the CLIs whose tools are listed. Nil stands for those that are found.
type Shown []string

// Everything is the name that stands for all CLIs.
const Everything = "*"

// UnmarshalJSON reads "found", "all" or a list of names.
func (s *Shown) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case `"found"`:
		*s = nil
		return nil
	case `"all"`:
		*s = Shown{Everything}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(s))
}

// MarshalJSON writes the form that UnmarshalJSON reads.
func (s Shown) MarshalJSON() ([]byte, error) {
	switch {
	case s == nil:
		return []byte(`"found"`), nil
	case len(s) == 1 && s[0] == Everything:
		return []byte(`"all"`), nil
	}
	return json.Marshal([]string(s))
}

// RetrySpec says whether a failed call may succeed later, and after how long.
type RetrySpec struct {
	Yes     bool
	AfterMs string // expression; "" if unknown
}

// UnmarshalJSON reads a bool or {afterMs}.
func (r *RetrySpec) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		var after struct{ AfterMs string }
		if err := json.Unmarshal(data, &after); err != nil {
			return err
		}
		*r = RetrySpec{Yes: true, AfterMs: after.AfterMs}
		return nil
	}
	return json.Unmarshal(data, &r.Yes)
}

// MarshalJSON writes the form that UnmarshalJSON reads.
func (r RetrySpec) MarshalJSON() ([]byte, error) {
	if r.AfterMs != "" {
		return json.Marshal(map[string]string{"afterMs": r.AfterMs})
	}
	return json.Marshal(r.Yes)
}

// StepSpec is a command of an upgrade. Bin "" is the CLI itself.
type StepSpec struct {
	Bin  string   `json:"bin,omitempty"`
	Argv []string `json:"argv"`
}

// UnmarshalJSON reads a list of words or {bin, argv}.
func (s *StepSpec) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, &s.Argv)
	}
	type plain StepSpec
	return json.Unmarshal(data, (*plain)(s))
}

// Texts is a list of texts; a list of one may be written as the text alone.
type Texts []string

// UnmarshalJSON reads a text or a list of texts.
func (t *Texts) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*t = make(Texts, 1)
		return json.Unmarshal(data, &(*t)[0])
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// MarshalJSON writes the form that UnmarshalJSON reads.
func (t Texts) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// UnmarshalJSON reads a file, or {linux, darwin, windows}.
func (f *SystemFile) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		var file string
		err := json.Unmarshal(data, &file)
		*f = SystemFile{AnySystem: file}
		return err
	}
	return json.Unmarshal(data, (*map[string]string)(f))
}

// MarshalJSON writes the form that UnmarshalJSON reads.
func (f SystemFile) MarshalJSON() ([]byte, error) {
	if file, ok := f[AnySystem]; ok {
		return json.Marshal(file)
	}
	return json.Marshal(map[string]string(f))
}

// ExampleEnv is what an example says of variables: names, or names and values.
type ExampleEnv struct {
	Names  []string
	Values map[string]string
}

// IsZero reports whether nothing is said.
func (e ExampleEnv) IsZero() bool { return e.Names == nil && e.Values == nil }

// UnmarshalJSON reads a list of names or an object.
func (e *ExampleEnv) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, &e.Names)
	}
	return json.Unmarshal(data, &e.Values)
}

// MarshalJSON writes the form that UnmarshalJSON reads.
func (e ExampleEnv) MarshalJSON() ([]byte, error) {
	if e.Names != nil {
		return json.Marshal(e.Names)
	}
	return json.Marshal(e.Values)
}

// Keyed is a Map of any type.
type Keyed interface {
	Keys() []string
	Entry(key string) (any, bool)
}

func (m Map[T]) Entry(key string) (any, bool) { v, ok := m.by[key]; return v, ok }
