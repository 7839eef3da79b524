package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

var nineArgs = json.RawMessage(`{"prompt":"Say hello to the world.","model":"quick","name":"n","turns":3,"level":"low","on":true,"tags":["a","b"],"dirs":["x","y"],"effort":"high"}`)

func BenchmarkBind(b *testing.B) {
	cli := shared(b, "acme")
	for b.Loop() {
		if _, violations := cli.Bind(nineArgs, nil, langtest.IDs()); violations != nil {
			b.Fatal(violations)
		}
	}
}

func BenchmarkCommand(b *testing.B) {
	call, violations := shared(b, "acme").Bind(nineArgs, nil, langtest.IDs())
	if violations != nil {
		b.Fatal(violations)
	}
	for b.Loop() {
		if _, violations := call.Command(""); violations != nil {
			b.Fatal(violations)
		}
	}
}

// BenchmarkViolations is what a hostile caller can make a call cost.
func BenchmarkViolations(b *testing.B) {
	var args bytes.Buffer
	args.WriteString(`{"prompt":"hi"`)
	for i := range 1000 {
		fmt.Fprintf(&args, `,"unknown%d":1`, i)
	}
	fmt.Fprintf(&args, `,%q:1}`, strings.Repeat("x", 1<<20))
	cli := shared(b, "acme")
	for b.Loop() {
		if _, violations := cli.Bind(args.Bytes(), nil, langtest.IDs()); len(violations) != 1001 {
			b.Fatal(len(violations))
		}
	}
}

func benchmarkDecode(b *testing.B, spec, stdout string) {
	call, violations := shared(b, spec).Bind(json.RawMessage(`{"prompt":"hi"}`), nil, langtest.IDs())
	if violations != nil {
		b.Fatal(violations)
	}
	b.SetBytes(int64(len(stdout)))
	b.ReportAllocs()
	for b.Loop() {
		answer, err := call.Decode(extract.Run{Stdout: strings.NewReader(stdout), Size: int64(len(stdout))})
		if err != nil || answer.Failure != nil {
			b.Fatal(err, answer.Failure)
		}
	}
}

func BenchmarkDecode20Records(b *testing.B) {
	var out strings.Builder
	out.WriteString(`{"type":"start","id":"42","model":"big-1"}` + "\n")
	for i := range 18 {
		fmt.Fprintf(&out, `{"type":"delta","text":"word %d ","usage":{"in":5,"out":2,"read":1},"more":{"a":[1,2,3],"b":"some text that nobody asks for"}}`+"\n", i)
	}
	out.WriteString(`{"type":"done","cost":0.25,"usage":{"in":7,"out":3}}` + "\n")
	benchmarkDecode(b, "lines", out.String())
}

func BenchmarkDecode40MBText(b *testing.B) {
	benchmarkDecode(b, "acme", strings.Repeat("A line of an answer that goes on and on.\n", 1<<20))
}

func BenchmarkDecode40MBRecord(b *testing.B) {
	benchmarkDecode(b, "lines", `{"type":"delta","text":"`+strings.Repeat("x", 40<<20)+`"}`+"\n"+`{"type":"done"}`+"\n")
}

// BenchmarkDecodeInVain is an output made to be read again and again.
func BenchmarkDecodeInVain(b *testing.B) {
	benchmarkDecode(b, "object", `{"result":"early"}`+"\n"+strings.Repeat("["+strings.Repeat(" ", 100)+"\n", 1<<14))
}

func spec20(b *testing.B) *lang.Spec {
	var params bytes.Buffer
	for i := range 20 {
		fmt.Fprintf(&params, `,"p%d":{"doc":"Parameter","flag":"--p%d","enum":["a","b","c"]}`, i, i)
	}
	return langtest.Read(b, fmt.Appendf(nil, `{"bin":"acme","argv":["{params}"],"params":{%s},"output":{"format":"jsonl","text":"event.text","model":"event.model"},
		"risk":[{"when":"p1 == 'a'","score":1}],"success":"exit == 0 && text != ''"}`, params.Bytes()[1:]))
}

func BenchmarkCompile20Params(b *testing.B) {
	s := spec20(b)
	for b.Loop() {
		if c, problems := Compile(s); c == nil {
			b.Fatal(problems)
		}
	}
}

func BenchmarkCompileVetted20Params(b *testing.B) {
	s := spec20(b)
	for b.Loop() {
		if c, problems := compileVetted(s); c == nil {
			b.Fatal(problems)
		}
	}
}

func BenchmarkInputSchema(b *testing.B) {
	cli := shared(b, "acme")
	for b.Loop() {
		cli.InputSchema()
	}
}
