package mcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

// listing is what one swap of the tools leaves behind: the names to call, and
// why others that a client may still know are not among them.
type listing struct {
	names map[string]bool
	gone  map[string]string
	shown map[string]entry
	text  []byte // what clients are shown
}

// entry is a tool in a listing.
type entry struct {
	tool Tool
	form mcp.Tool
	text []byte
}

var toolName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// newListing vets tools. One that mcp-go would panic over, or could not
// encode, would take the whole listing with it.
func newListing(tools []Tool, before *listing) (*listing, []mcp.Tool, error) {
	l := &listing{names: map[string]bool{}, gone: map[string]string{}, shown: map[string]entry{}}
	maps.Copy(l.gone, before.gone)
	for name := range before.names {
		l.gone[name] = "it was removed since the tools were listed"
	}
	var good []mcp.Tool
	var problems []error
	for _, t := range tools {
		if t.Unlisted && toolName.MatchString(t.Name) {
			l.names[t.Name] = true
			continue
		}
		e, err := before.vetted(t)
		if err == nil && l.names[t.Name] {
			err = errors.New("another tool has the same name")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("tool %q: %w", t.Name, err))
			l.gone[t.Name] = "its definition is broken"
			continue
		}
		l.names[t.Name], l.shown[t.Name] = true, e
		good = append(good, e.form)
		l.text = append(append(l.text, e.text...), '\n')
	}
	for name := range l.names {
		delete(l.gone, name)
	}
	return l, good, errors.Join(problems...)
}

// vetted is t as it can be listed, which of most tools is known.
func (l *listing) vetted(t Tool) (entry, error) {
	if e, ok := l.shown[t.Name]; ok && reflect.DeepEqual(e.tool, t) {
		return e, nil
	}
	m, text, err := vetted(t)
	return entry{t, m, text}, err
}

// vetted turns t into mcp-go's form, and that into text, if every client could read it.
func vetted(t Tool) (m mcp.Tool, text []byte, err error) {
	m = mcp.Tool{
		Name: t.Name, Title: t.Title, Description: t.Description,
		RawInputSchema: t.InputSchema, RawOutputSchema: t.OutputSchema,
		Annotations: mcp.ToolAnnotation{
			Title:           t.Title,
			ReadOnlyHint:    t.hint(&t.ReadOnly, false),
			DestructiveHint: t.hint(&t.Destructive, true),
			IdempotentHint:  t.hint(&t.Idempotent, false),
			OpenWorldHint:   t.hint(&t.OpenWorld, true),
		},
	}
	if !toolName.MatchString(t.Name) {
		return m, nil, errors.New("a name has 1 to 128 of A-Z a-z 0-9 . _ -")
	}
	if !object(t.InputSchema) {
		return m, nil, errors.New("the input schema is not a JSON object")
	}
	if t.OutputSchema != nil && !object(t.OutputSchema) {
		return m, nil, errors.New("the output schema is not a JSON object")
	}
	if t.Meta != nil {
		m.Meta = mcp.NewMetaFromMap(maps.Clone(t.Meta))
	}
	if err := mcp.ValidateParamHeaderAnnotations(&m); err != nil {
		return m, nil, err
	}
	text, err = json.Marshal(m)
	return m, text, err
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

// unknown explains why name cannot be called and what could be instead; it is
// empty when name is listed.
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
