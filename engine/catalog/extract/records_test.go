package extract

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// noises are what programs and terminals put around records.
var noises = []string{
	"", "\x1b[?25l", "\x1b[2K\r", "\x1b]0;title\a", "\x1b]8;;http://x\x1b\\", "\ufeff", "\x1e", "data: ", "Loading...\r", "\u280b Thinking...",
	"MCP issues detected.", "[INFO] {x} ", "\x1b[1;31mwarn:\x1b[0m ", "\x00\x07", "100% ", "\t", "\x1b[", "\x1b]0;never ended", "\r", "{", "}, ",
}

// FuzzNoise puts noise before, between and behind the records of an answer: it must never
// change what is read.
func FuzzNoise(f *testing.F) {
	spec := lang.CLISpec{}
	if err := json.Unmarshal([]byte(`{"output":{"format":"jsonl","end":"event.type == 'end'","text":{"when":"event.type == 'text'","take":"event.text","fold":"concat"}}}`), &spec); err != nil {
		f.Fatal(err)
	}
	out := Compile(&spec, "acme", "acme", false, lang.Problems{List: &[]lang.Problem{}})
	records := []string{
		`{"type":"start","id":"1"}`, `{"type":"text","text":"do \"not\" {"}`, `{"type":"text","text":"} merge\\"}`, `{"type":"tool","in":{"type":"text","text":"x"}}`, `{"type":"end"}`,
	}
	f.Add([]byte{})
	for i := range noises {
		f.Add([]byte{byte(i), byte(i), byte(i), 0, byte(i), 0, 1, byte(i), 3})
	}
	f.Fuzz(func(t *testing.T, choice []byte) {
		next := func() (c int) {
			if len(choice) > 0 {
				c, choice = int(choice[0]), choice[1:]
			}
			return c
		}
		var b strings.Builder
		for _, record := range records {
			b.WriteString(noises[next()%len(noises)] + record + noises[next()%len(noises)])
			if next()%3 > 0 {
				b.WriteByte('\n')
			}
		}
		got, err := out.Decode(Run{Stdout: strings.NewReader(b.String())}, Turn{Mode: lang.New})
		if err != nil || got.Text != `do "not" {} merge\` {
			t.Errorf("%q: got %q, %v", b.String(), got.Text, err)
		}
	})
}
