package author

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"cuelang.org/go/cue/format"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// FormatExample writes an example in CUE, as an element of a list of examples.
func FormatExample(ex lang.ExampleSpec) (string, error) {
	raw, err := json.Marshal(ex)
	if err != nil {
		return "", err
	}
	var fields lang.Map[json.RawMessage]
	if err := json.Unmarshal(raw, &fields); err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("{\n")
	for key, raw := range fields.All() {
		fmt.Fprintf(&b, "\t%s: ", key)
		if err := cueValue(&b, raw); err != nil {
			return "", err
		}
		b.WriteString("\n")
	}
	b.WriteString("}")
	out, err := format.Source([]byte(b.String()))
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(string(out), "\n") + ",\n", nil
}

var bareKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// cueValue writes JSON the way a person writes CUE: on one line, keys without quotes, and
// texts of several lines as such.
func cueValue(b *strings.Builder, raw json.RawMessage) error {
	switch raw[0] {
	case '{':
		var fields lang.Map[json.RawMessage]
		if err := json.Unmarshal(raw, &fields); err != nil {
			return err
		}
		b.WriteByte('{')
		keys := fields.Keys()
		if _, ok := fields.Get("prompt"); ok { // the first that a reader looks for
			keys = append([]string{"prompt"}, without(keys, "prompt")...)
		}
		for i, key := range keys {
			if i > 0 {
				b.WriteString(", ")
			}
			if bareKey.MatchString(key) {
				b.WriteString(key)
			} else {
				b.WriteString(cueText(key))
			}
			b.WriteString(": ")
			value, _ := fields.Get(key)
			if err := cueValue(b, value); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case '[':
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return err
		}
		b.WriteByte('[')
		for i, item := range items {
			if i > 0 {
				b.WriteString(", ")
			}
			if err := cueValue(b, item); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case '"':
		var body string
		if err := json.Unmarshal(raw, &body); err != nil {
			return err
		}
		b.WriteString(cueLines(body))
	default:
		b.Write(raw)
	}
	return nil
}

func without(words []string, word string) (out []string) {
	for _, w := range words {
		if w != word {
			out = append(out, w)
		}
	}
	return out
}

func cueText(s string) string {
	return string(text.MustJSON(s))
}

// cueLines is a text that holds lines or quotes as it is, if CUE lets it be.
func cueLines(s string) string {
	raw := utf8.ValidString(s) && !strings.Contains(s, `"""#`) && !strings.Contains(s, `\#`) &&
		!strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && unicode.IsControl(r) })
	if !raw || !strings.ContainsAny(s, "\n\"\\") {
		return cueText(s)
	}
	if !strings.Contains(s, "\n") && !strings.HasPrefix(s, "{") {
		return cueText(s)
	}
	return "#\"\"\"\n\t\t" + strings.ReplaceAll(s, "\n", "\n\t\t") + "\n\t\t\"\"\"#"
}
