package mcpservers

import (
	"fmt"
	"maps"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/argvtemplate"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Word is one of a command line, with the place in the section mcp where it comes from.
type Word struct{ Text, From string }

// Rendered is what configures the servers of a CLI.
type Rendered struct {
	Words    []Word
	File     *string // text of the file, nil for none
	Variable *string // value of the variable, nil for none
}

// Render writes the servers in the way of the spec. path gives the path of the file of a
// name.
func (s *Selection) Render(spec lang.MCPSpec, path func(name string) string) (out Rendered) {
	if s == nil {
		return out
	}
	put := func(key string, words []string, slots map[string]string) {
		for i, word := range words {
			text := argvtemplate.Placeholder.ReplaceAllStringFunc(word, func(slot string) string {
				if value, ok := slots[slot]; ok {
					return value
				}
				return slot
			})
			out.Words = append(out.Words, Word{text, fmt.Sprintf("%s.%d", key, i)})
		}
	}
	general := map[string]string{}
	switch file := spec.File; {
	case file.IsZero() || len(s.servers) == 0:
	case file.Env != "":
		out.Variable = new(strings.TrimSuffix(renderFile(file, s.servers), "\n"))
	default:
		out.File = new(renderFile(file, s.servers))
		general[slotFile] = path(file.Name)
	}
	if len(s.servers) > 0 {
		put("words", spec.Words, general)
	}
	for _, server := range s.servers {
		slots := maps.Clone(general)
		slots[slotName] = server.name
		for slot, value := range server.slots() {
			if slot != slotName {
				slots[slot] = string(text.MustJSON(value))
			}
		}
		put("each", spec.Each, slots)
		if server.Trust {
			put("trusted", spec.Trusted, slots)
		}
	}
	if s.strict {
		put("strict", spec.Strict, nil)
		if len(s.servers) == 0 {
			put("none", spec.None, nil)
		}
	}
	return out
}

// slots are what a template about the server can say.
func (s server) slots() map[string]any {
	return map[string]any{slotName: s.name, slotCommand: s.path, slotArgs: append([]string{}, s.Args...), slotEnv: append([]string{}, s.Env...)}
}

// renderFile writes the file.
func renderFile(f lang.MCPFile, servers []server) string {
	byName, list := map[string]any{}, []any{}
	for _, s := range servers {
		body := fill(f.Server, s.slots())
		byName[s.name] = body
		list = append(list, body)
	}
	body := fill(f.Body, map[string]any{slotServers: byName, slotList: list})
	for _, s := range servers {
		body = text.Overlay(body, fill(f.Each, s.slots()))
		if s.Trust {
			body = text.Overlay(body, fill(f.Trusted, s.slots()))
		}
	}
	text := string(text.MustJSON(body))
	if f.Text == "" {
		return text + "\n"
	}
	return strings.Replace(f.Text, slotJSON, text, 1)
}

// fill is the template with values in the places of its slots. A list of words that
// stands in a list becomes part of it.
func fill(template any, slots map[string]any) any {
	switch v := template.(type) {
	case string:
		if value, ok := slots[v]; ok {
			return value
		}
	case []any:
		out := make([]any, 0, len(v))
		for _, item := range v {
			filled := fill(item, slots)
			words, ok := filled.([]string)
			if !ok {
				out = append(out, filled)
			}
			for _, word := range words {
				out = append(out, word)
			}
		}
		return out
	case map[string]any:
		name, _ := slots[slotName].(string)
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[strings.ReplaceAll(key, slotName, name)] = fill(item, slots)
		}
		return out
	}
	return template
}
