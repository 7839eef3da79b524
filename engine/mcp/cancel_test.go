package mcp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
)

func cancelled(id string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s,"reason":"the user pressed Esc"}}`, id)
}

func TestPingIsAnsweredWhileCallsRun(t *testing.T) {
	for _, n := range []int{12, 200, 300} { // the last is above MaxCalls
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			d := &stubCaller{tools: []Tool{tool("say")}, call: untilCancelled}
			bubble(t, Options{Caller: d}, func(p *peer) {
				for i := range n {
					p.call(fmt.Sprint(i), "")
				}
				p.send(`{"jsonrpc":"2.0","id":"p","method":"ping"}`)
				want(t, string(p.recv().ID), `"p"`)
				for i := range n {
					p.send(cancelled(fmt.Sprint(i)))
				}
				p.quiet()
				if err := p.end(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestCallsBeyondTheLimitWaitTheirTurn(t *testing.T) {
	var gate chan struct{}
	var running chan string
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		running <- string(c.Args)
		<-gate
		return Result{}
	}}
	bubble(t, Options{Caller: d, MaxCalls: 2}, func(p *peer) {
		gate, running = make(chan struct{}), make(chan string, 10)
		for i := range 3 {
			p.call(fmt.Sprint(i), "")
		}
		synctest.Wait()
		if len(running) != 2 {
			t.Fatalf("%d calls run", len(running))
		}
		close(gate)
		for range 3 {
			p.recv()
		}
		if err := p.end(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCancelReachesARunningCallWithItsReason(t *testing.T) {
	var cause error
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, _ call.Request) Result {
		<-ctx.Done()
		cause = context.Cause(ctx)
		return Result{}
	}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		p.call("1", "")
		p.quiet()
		p.send(cancelled("1"))
		p.quiet()
		var e interface{ CancelReason() string }
		if !errors.As(cause, &e) || e.CancelReason() != "the user pressed Esc" {
			t.Fatalf("cause: %v", cause)
		}
		p.call("1", "") // the id is free again
		p.quiet()
	})
}

func TestCancelRightBehindTheRequest(t *testing.T) {
	d := &stubCaller{tools: []Tool{tool("say")}, call: untilCancelled}
	bubble(t, Options{Caller: d}, func(p *peer) {
		for range 200 {
			p.call("1", "")
			p.send(cancelled("1"))
			p.quiet() // it has come to its end, or this bubble would never
		}
		if err := p.end(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCancelReachesAWaitingCall(t *testing.T) {
	ran := make(chan struct{}, 10)
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		ran <- struct{}{}
		return untilCancelled(ctx, c)
	}}
	bubble(t, Options{Caller: d, MaxCalls: 1}, func(p *peer) {
		p.call("1", "")
		p.quiet()
		p.call("2", "")
		p.quiet()
		p.send(cancelled("2"))
		p.quiet()
		p.send(cancelled("1"))
		p.quiet()
		if len(ran) != 1 {
			t.Fatalf("%d calls ran, want the first only", len(ran))
		}
	})
}

func TestIdsAreToldApartByType(t *testing.T) {
	ended := make(chan string, 10)
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		<-ctx.Done()
		ended <- string(c.Args)
		return Result{}
	}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		p.call("1", `,"arguments":{"a":"number"}`)
		p.call(`"1"`, `,"arguments":{"a":"string"}`)
		p.quiet()
		p.send(cancelled(`"\u0031"`)) // another spelling of "1"
		want(t, <-ended, `{"a":"string"}`)
		p.send(cancelled(`1.0`))
		want(t, <-ended, `{"a":"number"}`)
		p.quiet()
	})
}

func TestCancelOfUnknownIdsIsTolerated(t *testing.T) {
	bubble(t, Options{}, func(p *peer) {
		p.call("1", "")
		p.recv()
		for _, id := range []string{"1", "99", `"x"`, "null", "{}", "[1]"} {
			p.send(cancelled(id))
		}
		p.send(`{"jsonrpc":"2.0","method":"notifications/cancelled"}`)
		p.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":[1]}`)
		p.call("2", "")
		want(t, string(p.recv().ID), "2")
	})
}

func TestTheIdIsEchoedVerbatim(t *testing.T) {
	bubble(t, Options{}, func(p *peer) {
		for _, id := range []string{"9007199254740993", "-1", "1.50", `"a\u0000\"b"`, `""`, "1e3", "123456789012345678901234567890"} {
			p.call(id, "")
			want(t, string(p.recv().ID), id)
			p.sendf(`{"jsonrpc":"2.0","id":%s,"method":"ping"}`, id)
			want(t, string(p.recv().ID), id)
		}
	})
}

func TestADuplicateIdIsRefused(t *testing.T) {
	var release chan struct{}
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		<-release
		return Result{}
	}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		release = make(chan struct{})
		p.call("5", "")
		p.call("5.0", "")
		if r := p.recv(); r.Error == nil || r.Error.Code != codeInvalid {
			t.Fatalf("%+v", r)
		}
		close(release)
		if r := p.recv(); r.Error != nil {
			t.Fatal(r.Error)
		}
	})
}

func TestAFloodOfRequestsIsRefusedNotHeld(t *testing.T) {
	d := &stubCaller{tools: []Tool{tool("say")}, call: untilCancelled}
	bubble(t, Options{Caller: d, MaxCalls: 1}, func(p *peer) {
		for i := range waitingFactor {
			p.call(fmt.Sprint(i), "")
		}
		p.quiet()
		p.call("99", "")
		if r := p.recv(); r.Error == nil || r.Error.Code != codeBusy || !strings.Contains(r.Error.Message, "16") {
			t.Fatalf("%+v", r)
		}
	})
}

func TestEndOfInputLetsCallsFinish(t *testing.T) {
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		select {
		case <-time.After(40 * time.Second):
			return Result{Text: []string{"done"}}
		case <-ctx.Done():
			return failure("cut short")
		}
	}}
	bubble(t, Options{Caller: d, MaxCalls: 2}, func(p *peer) {
		const n = 2
		for i := range n {
			p.call(fmt.Sprint(i), "")
		}
		if err := p.end(); err != nil {
			t.Fatal(err)
		}
		for range n {
			want(t, string(p.recv().Result), `{"content":[{"type":"text","text":"done"}]}`)
		}
	})
}

func TestEndOfInputDoesNotLoseTheLastUnterminatedLine(t *testing.T) {
	bubble(t, Options{}, func(p *peer) {
		p.in.Write([]byte(`{"jsonrpc":"2.0","id":1,"method":"ping"}`))
		if err := p.end(); err != nil {
			t.Fatal(err)
		}
		want(t, string(p.recv().ID), "1")
	})
}

func TestAfterTheGraceCallsAreCancelledAndStillAnswered(t *testing.T) {
	d := &stubCaller{tools: []Tool{tool("say")}, call: untilCancelled}
	bubble(t, Options{Caller: d, Grace: time.Second}, func(p *peer) {
		p.call("1", "")
		began := time.Now()
		if err := p.end(); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d != time.Second {
			t.Errorf("Serve took %v", d)
		}
		want(t, string(p.recv().Result), `{"isError":true,"content":[{"type":"text","text":"the client is gone"}]}`)
	})
}

func TestStoppingCutsTheGraceShort(t *testing.T) {
	d := &stubCaller{tools: []Tool{tool("say")}, call: untilCancelled}
	bubble(t, Options{Caller: d, Grace: time.Hour}, func(p *peer) {
		p.call("1", "")
		p.in.Close()
		p.quiet()
		p.stop(errors.New("SIGTERM"))
		want(t, string(p.recv().Result), `{"isError":true,"content":[{"type":"text","text":"the gateway is stopping"}]}`)
		if err := <-p.served; err != nil {
			t.Errorf("Serve returned %v", err)
		}
	})
}

func TestStoppingCancelsCallsAndIsBounded(t *testing.T) {
	var stubborn chan struct{}
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		if string(c.Args) == `{"stubborn":true}` {
			<-stubborn
			return Result{}
		}
		return untilCancelled(ctx, c)
	}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		stubborn = make(chan struct{})
		p.call("1", "")
		p.call("2", `,"arguments":{"stubborn":true}`)
		p.quiet()
		signal, began := errors.New("SIGTERM"), time.Now()
		p.stop(signal)
		want(t, string(p.recv().Result), `{"isError":true,"content":[{"type":"text","text":"the gateway is stopping"}]}`)
		if err := <-p.served; !errors.Is(err, signal) {
			t.Errorf("Serve returned %v", err)
		}
		if d := time.Since(began); d != defaultDrain {
			t.Errorf("Serve took %v", d)
		}
		close(stubborn)
		p.quiet() // nothing is written once Serve has returned
	})
}

func TestAClosedOutputCancelsCallsAndEndsTheServer(t *testing.T) {
	cause := make(chan error, 1)
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		<-ctx.Done()
		cause <- context.Cause(ctx)
		return Result{}
	}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		p.call("1", "")
		p.quiet()
		p.out.Close()
		p.send(`{"jsonrpc":"2.0","id":2,"method":"ping"}`)
		if err := <-p.served; !errors.Is(err, ErrClientGone) {
			t.Errorf("Serve returned %v", err)
		}
		if err := <-cause; !errors.Is(err, ErrClientGone) {
			t.Errorf("cause: %v", err)
		}
	})
}

// TestCancelWithAnyReason: whatever a client writes as its reason, the call is cancelled.
func TestCancelWithAnyReason(t *testing.T) {
	for reason, want := range map[string]string{`"stop"`: "stop", `null`: "", `7`: "7", `{"code":"timeout"}`: `{"code":"timeout"}`, `["a"]`: `["a"]`, `true`: "true"} {
		var got string
		d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, _ call.Request) Result {
			<-ctx.Done()
			if cancel, ok := errors.AsType[*CancelError](context.Cause(ctx)); ok {
				got = cancel.CancelReason()
			}
			return Result{}
		}}
		bubble(t, Options{Caller: d}, func(p *peer) {
			got = "not cancelled"
			p.call("1", "")
			p.quiet()
			p.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":` + reason + `}}`)
			p.quiet()
			if got != want {
				t.Errorf("%s: %q", reason, got)
			}
		})
	}
}
