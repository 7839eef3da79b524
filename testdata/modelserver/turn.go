package modelserver

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode/utf8"
)

// object is a JSON object to be written.
type object = map[string]any

// Token counts of every answer, whatever its length: tests compare with them.
const (
	inputTokens     = 101 // the cached ones included
	cachedTokens    = 7
	outputTokens    = 23
	reasoningTokens = 3
)

// turn is a request of any protocol in the neutral form.
type turn struct {
	model  string
	stream bool
	json   bool       // the client demands a JSON answer
	users  [][]string // user messages, each in its text parts
	result *string    // tool result that came after the last user message
	before []int      // for each tool result, how many user messages stand before it
	tools  []tool
}

// answers adds the result of a tool.
func (t *turn) answers(result string) {
	t.result = &result
	t.before = append(t.before, len(t.users))
}

// answered counts the tool results since the prompt.
func (t turn) answered() (n int) {
	last := 0
	for i, message := range t.texts() {
		if _, after, opened := strings.Cut(message, "<<<"); opened && strings.Contains(after, ">>>") {
			last = i + 1
		}
	}
	for _, users := range t.before {
		if users >= last {
			n++
		}
	}
	return n
}

// user adds a message of the user; a result before it belongs to an older turn.
func (t *turn) user(parts ...string) {
	t.users = append(t.users, parts)
	t.result = nil
}

func (t turn) texts() []string {
	var all []string
	for _, parts := range t.users {
		all = append(all, strings.Join(parts, "\n"))
	}
	return all
}

// prompt finds the user's own words, as the package comment lays down.
func (t turn) prompt() (turns int, text string) {
	for _, message := range t.texts() {
		_, after, opened := strings.Cut(message, "<<<")
		if end := strings.LastIndex(after, ">>>"); opened && end >= 0 {
			turns, text = turns+1, after[:end]
		}
	}
	if turns > 0 || len(t.users) == 0 {
		return turns, text
	}
	if last := t.users[len(t.users)-1]; len(last) > 0 {
		text = last[len(last)-1]
	}
	if inner, ok := strings.CutPrefix(strings.TrimSpace(text), "<user_query>"); ok {
		if inner, ok = strings.CutSuffix(inner, "</user_query>"); ok {
			text = strings.Trim(inner, "\n")
		}
	}
	return len(t.users), text
}

// escaped is the prompt as it stands inside a JSON string.
func (t turn) escaped() string {
	_, text := t.prompt()
	quoted, _ := json.Marshal(text)
	return strings.Trim(string(quoted), `"`)
}

func (t turn) summary() string {
	turns, text := t.prompt()
	sum := sha256.Sum256([]byte(text))
	return fmt.Sprintf("FAKE-REPLY turns=%d bytes=%d sha=%x model=%q last=%q", turns, len(text), sum[:6], t.model, tail(text, 80))
}

// tail is the end of a text, at most size bytes, never half a character.
func tail(text string, size int) string {
	if len(text) <= size {
		return text
	}
	at := len(text) - size
	for at < len(text) && !utf8.RuneStart(text[at]) {
		at++
	}
	return text[at:]
}

// tool is a function offered to the model.
type tool struct {
	namespace, name string
	schema          json.RawMessage // of its parameters
}

func (t tool) fullName() string {
	if t.namespace != "" {
		return t.namespace + "/" + t.name
	}
	return t.name
}

func (t turn) toolNames() []string {
	var names []string
	for _, offered := range t.tools {
		names = append(names, offered.fullName())
	}
	return names
}

// madeUpArguments satisfies the required parameters of most tools. A parameter
// that is a command line gets one that is harmless and leaves a trace.
func (t tool) madeUpArguments() string {
	var schema struct {
		Properties map[string]struct {
			Type any
			Enum []any
		}
		Required []string
	}
	args := object{}
	if json.Unmarshal(t.schema, &schema) == nil {
		for _, name := range schema.Required {
			args[name] = madeUpValue(name, schema.Properties[name].Type, schema.Properties[name].Enum)
		}
	}
	text, _ := json.Marshal(args)
	return string(text)
}

func madeUpValue(name string, kind any, enum []any) any {
	if len(enum) > 0 {
		return enum[0]
	}
	switch kind {
	case "integer", "number":
		return 1
	case "boolean":
		return true
	case "array":
		return []any{}
	case "object":
		return object{}
	}
	if name == "command" || name == "cmd" {
		return "echo hi-from-shell > shell-was-here.txt"
	}
	return "hi-from-model"
}

// content reads the two spellings of a message: a string, or a list of parts of
// which those with a text count.
func content(raw json.RawMessage) []string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []string{text}
	}
	var parts []struct {
		Text *string
	}
	if json.Unmarshal(raw, &parts) != nil {
		return nil
	}
	var texts []string
	for _, part := range parts {
		if part.Text != nil {
			texts = append(texts, *part.Text)
		}
	}
	return texts
}

var ids atomic.Int64

// freshID names something that a client may keep apart by its id.
func freshID(prefix string) string {
	return fmt.Sprintf("%sfake%d", prefix, ids.Add(1))
}
