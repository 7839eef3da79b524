package mcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

// listing is the tools that are served at one time: the names to call, and why others
// that a client may still know are not among them. It does not change.
type listing struct {
	names map[string]bool
	gone  map[string]string
	shown map[string]entry
	tools []toolDefinition // what clients are shown, by name
	text  []byte           // the same in the order of the Caller, to compare
}

// entry is a tool in a listing.
type entry struct {
	tool       Tool
	definition toolDefinition
	text       []byte
}

// newListing checks tools. One that cannot be encoded would make the whole listing fail,
// so it is left out; the error joins what is wrong with such tools.
func newListing(tools []Tool, before *listing) (*listing, error) {
	l := &listing{names: map[string]bool{}, gone: map[string]string{}, shown: map[string]entry{}}
	maps.Copy(l.gone, before.gone)
	for name := range before.names {
		l.gone[name] = "it was removed since the tools were listed"
	}
	var problems []error
	for _, t := range tools {
		if t.Unlisted && validName(t.Name) {
			l.names[t.Name] = true
			continue
		}
		e, err := before.check(t)
		if err == nil && l.names[t.Name] {
			err = errors.New("another tool has the same name")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("tool %q: %w", t.Name, err))
			l.gone[t.Name] = "its definition is broken"
			continue
		}
		l.names[t.Name], l.shown[t.Name] = true, e
		l.tools = append(l.tools, e.definition)
		l.text = append(append(l.text, e.text...), '\n')
	}
	for name := range l.names {
		delete(l.gone, name)
	}
	slices.SortFunc(l.tools, func(a, b toolDefinition) int { return strings.Compare(a.Name, b.Name) })
	return l, errors.Join(problems...)
}

// check returns the entry of t, or what is wrong with it. That of most tools is known.
func (l *listing) check(t Tool) (entry, error) {
	if e, ok := l.shown[t.Name]; ok && reflect.DeepEqual(e.tool, t) {
		return e, nil
	}
	switch {
	case !validName(t.Name):
		return entry{}, errors.New("a name has 1 to 128 of A-Z a-z 0-9 . _ -")
	case !object(t.InputSchema):
		return entry{}, errors.New("the input schema is not a JSON object")
	case t.OutputSchema != nil && !object(t.OutputSchema):
		return entry{}, errors.New("the output schema is not a JSON object")
	}
	definition, text, err := define(t)
	return entry{t, definition, text}, err
}

// validName reports whether name is one that every client accepts.
func validName(name string) bool {
	valid := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r)
	}
	return 0 < len(name) && len(name) <= 128 && strings.IndexFunc(name, func(r rune) bool { return !valid(r) }) < 0
}

// hint is what is listed of a hint; nil if nothing.
func (t Tool) hint(is *bool, assumed bool) *bool {
	if t.Brief && *is == assumed {
		return nil
	}
	return is
}

// object reports whether raw is a JSON object in UTF-8.
func object(raw json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) && json.Valid(raw) && utf8.Valid(raw)
}

// unknown says why name cannot be called and what can be called instead. It is empty
// when name can be called.
func (l *listing) unknown(name string) string {
	if l.names[name] {
		return ""
	}
	name = cut(name, 128)
	body := fmt.Sprintf("There is no tool %q", name)
	if why := l.gone[name]; why != "" {
		body += ": " + why
	}
	if near := text.Nearest(name, slices.Sorted(maps.Keys(l.names))); near != "" {
		body += fmt.Sprintf(". The nearest is %q", near)
	}
	return body + ". tools/list has the current ones."
}
