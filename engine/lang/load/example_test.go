package load

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// TestFormatExample writes examples with texts that CUE could take for something else
// and reads them back.
func TestFormatExample(t *testing.T) {
	for _, text := range []string{
		"", "hi", "two\nlines", "ends with a line\n", "\n", `quotes "` + `" and \ and \( and \#(`, "#\"\"\"\nx\n\"\"\"#", `{"a":"\n"}`,
		"tab\there\nand there", "\x00\x1b[0m\nx", "\u2028\n\u202e", "a\r\nb", "  indented\n\tmore", "{x}", "\\#(x)\n", "\"\"\"\n",
	} {
		want := lang.ExampleSpec{
			In:   map[string]any{"prompt": text, "odd-key": text, "_hidden": true, "list": []any{text, 1.5, nil}, "object": map[string]any{"#x": text}},
			Argv: []string{text, "b"}, Stdin: &text, Stdout: text, Stderr: text, Exit: 3, Out: &lang.ExampleOut{Text: &text, Usage: map[string]int64{"inputTokens": 7}},
		}
		out, err := FormatExample(want)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		r := &report{}
		tree := parse(File{Name: "x.cue", Data: []byte("cli: x: examples: [\n" + out + "]\n")}, r)
		n, depth := tree.root.lookup([]string{"cli", "x", "examples", "0"})
		if len(r.list) > 0 || depth != 4 {
			t.Errorf("%q: %v\n%s", text, r.list, out)
			continue
		}
		var got lang.ExampleSpec
		if err := json.Unmarshal(alone(nil, n), &got); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\ngot  %+v\nwant %+v\n%s", text, got, want, out)
		}
	}
}
