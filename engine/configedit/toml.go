package configedit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// editTOML puts the entry into a TOML text. A new table is appended; of a table that is
// there, the lines of its keys are replaced.
func editTOML(text []byte, e Entry) ([]byte, error) {
	before, err := parseTOML(text)
	if err != nil {
		return nil, err
	}
	fields := e.Fields
	old, known := lookup(before, e.Path)
	table, isTable := old.(map[string]any)
	if known {
		fields = e.missing(func(key string) bool { _, ok := table[key]; return ok })
	}
	want, err := parseTOML(lines(nil, fields))
	if err != nil {
		return nil, err
	}
	for key, v := range table {
		if _, ours := want[key]; !ours {
			want[key] = v
		}
	}
	if isTable && reflect.DeepEqual(table, want) {
		return text, nil
	}
	edited := bytes.TrimRight(text, "\r\n\t ")
	switch {
	case known:
		edited = replaceTable(text, e.Path, fields)
	case len(edited) > 0:
		edited = slices.Concat(edited, []byte("\n\n"), lines(e.Path, fields))
	default:
		edited = lines(e.Path, fields)
	}
	if bytes.Contains(text, []byte("\r\n")) {
		edited = bytes.ReplaceAll(bytes.ReplaceAll(edited, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	}
	after, err := parseTOML(edited)
	now, _ := lookup(after, e.Path)
	if err != nil || !reflect.DeepEqual(now, any(want)) || !reflect.DeepEqual(without(before, e.Path), without(after, e.Path)) {
		return nil, fmt.Errorf("cannot be edited without loss; add this by hand:\n%s", bytes.TrimRight(lines(e.Path, fields), "\n"))
	}
	return edited, nil
}

func parseTOML(text []byte) (map[string]any, error) {
	out := map[string]any{}
	err := toml.Unmarshal(bytes.TrimPrefix(text, bom), &out)
	var at *toml.DecodeError
	if errors.As(err, &at) {
		line, col := at.Position()
		return nil, fmt.Errorf("is not valid TOML at %d:%d: %s", line, col, strings.TrimPrefix(at.Error(), "toml: "))
	}
	return out, err
}

func lookup(doc map[string]any, path []string) (any, bool) {
	for i, key := range path {
		v, ok := doc[key]
		if !ok || i == len(path)-1 {
			return v, ok
		}
		if doc, ok = v.(map[string]any); !ok {
			return nil, false
		}
	}
	return nil, false
}

// without is the document without the value at the path, and without tables on the path
// that contain nothing else.
func without(doc map[string]any, path []string) map[string]any {
	out := map[string]any{}
	for key, v := range doc {
		if key != path[0] {
			out[key] = v
			continue
		}
		if inner, ok := v.(map[string]any); ok && len(path) > 1 {
			if rest := without(inner, path[1:]); len(rest) > 0 {
				out[key] = rest
			}
		}
	}
	return out
}

// lines is a table with its header, or without one its keys alone.
func lines(path []string, entry lang.Map[any]) []byte {
	var b bytes.Buffer
	if path != nil {
		b.WriteString("[" + dotted(path) + "]\n")
	}
	for key, v := range entry.All() {
		b.WriteString(dotted([]string{key}) + " = " + tomlValue(v) + "\n")
	}
	return b.Bytes()
}

// bare reports whether a key needs no quotes.
func bare(key string) bool {
	return key != "" && strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

func dotted(path []string) string {
	keys := make([]string, len(path))
	for i, key := range path {
		if keys[i] = key; !bare(key) {
			keys[i] = tomlValue(key)
		}
	}
	return strings.Join(keys, ".")
}

// tomlValue writes a value as TOML does: like JSON, but for objects and one character.
func tomlValue(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, dotted([]string{key})+" = "+tomlValue(v[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = tomlValue(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case float64:
		return string(quoted(json.Number(fmt.Sprint(v))))
	}
	return strings.ReplaceAll(string(quoted(v)), "\x7f", `\u007f`)
}

// replaceTable rewrites the keys of a table below its header. Its other keys, comments
// and inner tables stay. It works line by line, so callers check the result.
func replaceTable(text []byte, path []string, entry lang.Map[any]) []byte {
	var out bytes.Buffer
	header := regexp.MustCompile(`^\s*\[\s*` + strings.Join(tomlKeys(path), `\s*\.\s*`) + `\s*\]\s*(#.*)?$`)
	inside := false
	for line := range bytes.Lines(text) {
		text := bytes.TrimRight(line, "\r\n")
		switch {
		case header.Match(text):
			inside = true
			out.Write(bytes.TrimRight(line, "\r\n"))
			out.WriteByte('\n')
			out.Write(lines(nil, entry))
			continue
		case bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")):
			inside = false
		}
		if key, _, ok := bytes.Cut(text, []byte("=")); inside && ok {
			if _, ours := entry.Get(strings.Trim(string(bytes.TrimSpace(key)), `"'`)); ours {
				continue
			}
		}
		out.Write(line)
	}
	return out.Bytes()
}

// tomlKeys are patterns for keys, bare or in quotes.
func tomlKeys(path []string) []string {
	out := make([]string, len(path))
	for i, key := range path {
		k := regexp.QuoteMeta(key)
		out[i] = `(?:` + k + `|"` + k + `"|'` + k + `')`
	}
	return out
}
