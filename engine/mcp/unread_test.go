package mcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/mcp/stdio"
)

// TestAClientThatNeverReads: it gets so many calls made and so many requests taken as there
// may be at once, whatever it goes on to send, and the server ends.
func TestAClientThatNeverReads(t *testing.T) {
	const most = 3
	var made atomic.Int32
	desk := &stubCaller{tools: []Tool{tool("say")}, call: func(context.Context, call.Request) Result {
		made.Add(1)
		return Result{Text: []string{"a long answer"}}
	}}
	synctest.Test(t, func(t *testing.T) {
		serverIn, in := io.Pipe()
		out, serverOut := io.Pipe()
		served := make(chan error, 1)
		began := time.Now()
		s := New(Options{Caller: desk, MaxCalls: most, Patience: time.Minute})
		go func() { served <- s.Serve(t.Context(), serverIn, serverOut) }()
		var sent atomic.Int32
		go func() {
			for id := range 100_000 {
				if _, err := fmt.Fprintf(in, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"say"}}`+"\n", id); err != nil {
					return
				}
				sent.Add(1)
			}
		}()
		synctest.Wait()
		if made.Load() != most || sent.Load() > (waitingFactor+2)*most {
			t.Errorf("%d calls were made, of %d requests that were taken", made.Load(), sent.Load())
		}
		err := <-served
		// What stands in the way is the answer of a call, which is waited for, or the
		// refusal of a request too many, which is nobody's.
		if took := time.Since(began); !errors.Is(err, ErrClientGone) || !errors.Is(err, stdio.ErrNotRead) || (took != time.Minute && took != time.Minute+defaultDrain) {
			t.Errorf("%v after %v", err, took)
		}
		if made.Load() != most {
			t.Errorf("%d calls were made in the end", made.Load())
		}
		in.Close()
		serverIn.Close()
		out.Close()
	})
}
