package mcp

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
)

// wire is a connection for benchmarks: requests in, whole lines out.
type wire struct {
	in    io.WriteCloser
	lines *bufio.Reader
	done  chan error
}

func connect(b testing.TB, o Options) *wire {
	inR, inW, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	w := &wire{in: inW, lines: bufio.NewReaderSize(outR, 1<<20), done: make(chan error, 1)}
	go func() {
		err := New(o).Serve(context.Background(), inR, outW)
		outW.Close()
		inR.Close()
		w.done <- err
	}()
	b.Cleanup(func() {
		inW.Close()
		<-w.done
		outR.Close()
	})
	return w
}

func (w *wire) line(b testing.TB) []byte {
	var long []byte
	for {
		part, more, err := w.lines.ReadLine()
		if err != nil {
			b.Fatal(err)
		}
		if !more && long == nil {
			return part
		}
		long = append(long, part...)
		if !more {
			return long
		}
	}
}

func BenchmarkCall(b *testing.B) {
	d := &stubCaller{tools: []Tool{tool("noop")}, call: func(context.Context, call.Request) Result {
		return Result{Text: []string{"ok"}, Structured: json.RawMessage(`{"ok":true}`)}
	}}
	for _, concurrency := range []int{1, 32} {
		b.Run(fmt.Sprint(concurrency), func(b *testing.B) {
			w := connect(b, Options{Caller: d})
			slots := make(chan struct{}, concurrency)
			var sent sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			sent.Go(func() {
				for i := range b.N {
					slots <- struct{}{}
					fmt.Fprintf(w.in, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"noop","arguments":{"text":"hello"}}}`+"\n", i)
				}
			})
			for range b.N {
				w.line(b)
				<-slots
			}
			sent.Wait()
		})
	}
}

func BenchmarkPing(b *testing.B) {
	w := connect(b, Options{Caller: &stubCaller{}})
	b.ReportAllocs()
	for i := range b.N {
		fmt.Fprintf(w.in, `{"jsonrpc":"2.0","id":%d,"method":"ping"}`+"\n", i)
		w.line(b)
	}
}

func BenchmarkToolsList(b *testing.B) {
	var tools []Tool
	for i := range 43 {
		t := tool(fmt.Sprintf("tool_%d", i))
		var properties []string
		for j := range 17 {
			properties = append(properties, fmt.Sprintf(`"property_%d":{"type":"string","description":"%s"}`, j, strings.Repeat("words ", 10)))
		}
		t.InputSchema = json.RawMessage(`{"type":"object","properties":{` + strings.Join(properties, ",") + `},"additionalProperties":false}`)
		t.OutputSchema = json.RawMessage(`{"type":"object","properties":{"response":{"type":"string"}}}`)
		tools = append(tools, t)
	}
	w := connect(b, Options{Caller: &stubCaller{tools: tools}})
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		fmt.Fprintf(w.in, `{"jsonrpc":"2.0","id":%d,"method":"tools/list"}`+"\n", i)
		b.SetBytes(int64(len(w.line(b))))
	}
}

// TestALongAnswerIsNotCopied measures what sending 40 MB allocates.
func TestALongAnswerIsNotCopied(t *testing.T) {
	answer := strings.Repeat("All work and no \"play\".\n", 40_000_000/24)
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(context.Context, call.Request) Result {
		return Result{Text: []string{answer}, Structured: json.RawMessage(`{"model":"m"}`), Tail: Member{"response", answer}}
	}}
	inR, in := io.Pipe()
	out, outW := io.Pipe()
	served := make(chan error, 1)
	go func() {
		served <- New(Options{Caller: d}).Serve(t.Context(), inR, outW)
		outW.Close()
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	go func() {
		io.WriteString(in, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"say"}}`+"\n")
		in.Close()
	}()
	n, err := io.Copy(io.Discard, out)
	if err != nil || <-served != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n < 80_000_000 {
		t.Errorf("only %d bytes arrived", n)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 4<<20 {
		t.Errorf("%d bytes allocated to send %d", allocated, n)
	}
}
