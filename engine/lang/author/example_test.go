package author

import (
	"encoding/json"
	"reflect"
	"testing"

	"cuelang.org/go/cue/cuecontext"

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
		back, err := cuecontext.New().CompileString("[" + out + "]").MarshalJSON()
		if err != nil {
			t.Errorf("%q: %v\n%s", text, err, out)
			continue
		}
		var list []lang.ExampleSpec
		if err := json.Unmarshal(back, &list); err != nil || len(list) != 1 {
			t.Errorf("%q: %v\n%s", text, err, back)
			continue
		}
		got := list[0]
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\ngot  %+v\nwant %+v\n%s", text, got, want, out)
		}
	}
}
