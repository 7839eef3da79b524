package author

import (
	"fmt"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/check"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

const recordedSpec = `{"bin":"acme","argv":["{session}","{mcp}","{params}"],
	"params":{"one":{"doc":"d","flag":"--one"},"two":{"doc":"d","flag":"--two","enum":["a","b"],"default":"a"}},
	"session":{"create":["--id={id}"],"resume":["--resume={id}"],"latest":["--last"],"capture":"event.id"},
	"mcp":{"each":["--mcp={name}"],"file":{"name":"m.json","body":{"s":"{servers}"},"server":{"c":"{command}"}},"words":["--file={file}"]},
	"output":{"format":"jsonl","text":{"when":"event.type == 'a'","take":"event.text","fold":"concat"},"usage":{"input":"event.n?.in"}},
	"failure":[{"class":"auth","when":"stderr contains 'log in'"}]}`

func TestExampleOfARecord(t *testing.T) {
	specs, problems := catalog.Compile(langtest.Read(t, []byte(recordedSpec)))
	if specs == nil {
		t.Fatal(problems)
	}
	cli := specs.CLIs[0]
	same := func(s string) string { return s }
	noise := strings.Repeat(`{"type":"noise","much":{"of":"it"}}`+"\n", 300)
	for name, c := range map[string]struct {
		in    Recorded
		want  string // in, argv, stdout, stderr, text
		notes string
	}{
		"reduced": {
			Recorded{Mode: lang.New, SessionID: "x1", Prompt: "hi", Arguments: map[string]any{"one": "1", "two": "a"}, Argv: []string{"--id=x1", "--one=1", "--two=a"}, Printed: true,
				Stdout: noise + `{"type":"a","text":"fi","id":"x1","z":[1,{"y":2}]}` + "\n" + noise + `{"type":"a","text":"ne","n":{"in":3,"out":4}}` + "\n" + noise, Stderr: "warned\n"},
			`map[one:1 prompt:hi] [--id={id} --one=1 --two=a] {"id":"x1","text":"fi","type":"a"}` + "\n" + `{"n":{"in":3},"text":"ne","type":"a"} "" fine`, ""},
		"failed": {
			Recorded{Mode: lang.Latest, Prompt: "hi", Argv: []string{"--last", "--two=a"}, Printed: true, Exit: 1, Stdout: noise, Stderr: "one\nplease log in\nthree\n"},
			`map[prompt:hi resumeLatest:true] [--last --two=a]  "one\nplease log in\nthree" `, ""},
		"resumed, with servers": {
			Recorded{Mode: lang.Resume, SessionID: "x9", Prompt: "hi", Servers: []string{"s"}, Argv: []string{"--resume=x9", "--file=/run/1/m.json", "--mcp=s", "--two=a"}},
			`map[mcpServers:[s] prompt:hi sessionId:x9] [--resume=x9 --file={m.file} --mcp=s --two=a]  "" -`, "it has no output: that is gone, or the program did not end by itself"},
		"another spec then": {
			Recorded{Mode: lang.New, SessionID: "x1", Prompt: "hi", Argv: []string{"--id=x1", "--uno=1", "--two=a"}},
			`map[prompt:hi] [--id={id} --uno=1 --two=a]  "" -`, "the spec has changed since the call: vet will say at which word\nit has no output: that is gone, or the program did not end by itself"},
		"refused now": {
			Recorded{Mode: lang.Resume, SessionID: "--x", Prompt: "hi"},
			`map[prompt:hi sessionId:--x] []  "" -`, "the spec refuses this call now: sessionId: not an id of acme (^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$)"},
		"long": {
			Recorded{Mode: lang.New, Prompt: strings.Repeat("p", 2000), Printed: true, Stdout: strings.Repeat("x", 2<<20)},
			`map[prompt:` + strings.Repeat("p", 1000) + `…] [--id={id} --two=a]  "" -`, "the prompt has lost its end\nit has no output: there are 2097152 bytes of it, and at most 1048576 are reduced"},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.Clean = same
			ex, notes := Example(specs, cli, c.in)
			text := "-"
			if ex.Out != nil {
				text = *ex.Out.Text
			}
			if got := fmt.Sprintf("%v %v %s %q %s", ex.In, ex.Argv, ex.Stdout, ex.Stderr, text); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := strings.Join(notes, "\n"); got != c.notes {
				t.Errorf("notes: %s", got)
			}
			for _, p := range check.Example(specs, cli, ex) {
				if name != "another spec then" && name != "refused now" {
					t.Error(p)
				}
			}
		})
	}
}
