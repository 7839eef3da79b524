package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/call"
)

type report struct {
	ProgressToken json.RawMessage
	Progress      float64
	Message       string
}

func (p *peer) report() report {
	p.t.Helper()
	r := p.recv()
	want(p.t, r.Method, "notifications/progress")
	var got report
	if err := json.Unmarshal(r.Params, &got); err != nil {
		p.t.Fatal(err)
	}
	return got
}

func TestProgressIsInOrderAndRateLimited(t *testing.T) {
	const every, total = 10 * time.Millisecond, 3 * time.Second
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		for i := range int(total / every) {
			c.Progress(fmt.Sprintf("%06d", i))
			time.Sleep(every) // on the bubble's clock
		}
		return Result{}
	}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		p.call("1", `,"_meta":{"progressToken":"tok"}`)
		var last report
		n := 0
		for {
			r := p.recv()
			if r.Method == "" {
				break
			}
			var got report
			if err := json.Unmarshal(r.Params, &got); err != nil {
				t.Fatal(err)
			}
			want(t, string(got.ProgressToken), `"tok"`)
			if got.Progress <= last.Progress || got.Message <= last.Message {
				t.Fatalf("%v after %v", got, last)
			}
			last = got
			n++
		}
		if n < 10 || n > 13 {
			t.Errorf("%d reports in three seconds", n)
		}
		p.quiet()
	})
}

func TestProgressIsSentAtOnceAndNeverAfterTheAnswer(t *testing.T) {
	var late func(string)
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		c.Progress("first")
		c.Progress("second")
		late = c.Progress
		return Result{}
	}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		p.call("1", `,"_meta":{"progressToken":0}`)
		got := p.report()
		want(t, string(got.ProgressToken), "0")
		if r := p.recv(); string(r.ID) != "1" {
			t.Fatalf("%+v", r)
		}
		late("third")
		time.Sleep(time.Minute)
		p.quiet()
	})
}

func TestProgressOfManyCallsNeverTrailsItsAnswer(t *testing.T) {
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		go c.Progress("from elsewhere")
		c.Progress("x")
		return Result{}
	}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		const n = 500
		go func() {
			for i := range n {
				p.call(fmt.Sprint(i), fmt.Sprintf(`,"_meta":{"progressToken":%d}`, i))
			}
		}()
		answered := map[string]bool{}
		for len(answered) < n {
			r := p.recv()
			if r.Method == "" {
				answered[string(r.ID)] = true
				continue
			}
			var got report
			if err := json.Unmarshal(r.Params, &got); err != nil {
				t.Fatal(err)
			}
			if answered[string(got.ProgressToken)] {
				t.Fatalf("progress after the answer to %s", got.ProgressToken)
			}
		}
		p.quiet()
	})
}

func TestASilentCallGivesSignsOfLife(t *testing.T) {
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		time.Sleep(15 * time.Second)
		c.Progress(strings.Repeat("é", 300))
		time.Sleep(15 * time.Second)
		c.Progress("")
		return Result{}
	}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		began := time.Now()
		p.call("1", `,"_meta":{"progressToken":0}`)
		for i, expect := range []struct {
			at      int
			message string
		}{{10, "running (10 s)"}, {15, strings.Repeat("é", 199) + "…"}, {25, strings.Repeat("é", 179) + "… (25 s)"}} {
			got := p.report()
			want(t, got.Message, expect.message)
			if at := time.Since(began); int(at.Seconds()) != expect.at || got.Progress != float64(i+1) {
				t.Errorf("report %v after %v", got.Progress, at)
			}
		}
		want(t, string(p.recv().ID), "1")
		p.quiet()
	})
}

func TestADeadClientIsNoticedByTheSignsOfLife(t *testing.T) {
	var cause error
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		<-ctx.Done()
		cause = context.Cause(ctx)
		return Result{}
	}}
	bubble(t, Options{Caller: d, Grace: time.Hour}, func(p *peer) {
		began := time.Now()
		p.call("1", `,"_meta":{"progressToken":0}`)
		p.quiet()
		p.out.Close()
		if err := p.end(); !errors.Is(err, ErrClientGone) || !errors.Is(cause, ErrClientGone) || time.Since(began) != progressBeat {
			t.Errorf("Serve returned %v, the call ended with %v, after %v", err, cause, time.Since(began))
		}
	})
}

func TestProgressEndsWithACancellation(t *testing.T) {
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		<-ctx.Done()
		c.Progress("too late")
		time.Sleep(time.Second)
		return Result{}
	}}
	bubble(t, Options{Caller: d}, func(p *peer) {
		p.call("1", `,"_meta":{"progressToken":0}`)
		p.quiet()
		p.send(cancelled("1"))
		time.Sleep(time.Minute)
		p.quiet()
	})
}

func TestProgressOnlyWhenAsked(t *testing.T) {
	asked := make(chan bool, 10)
	d := &stubCaller{tools: []Tool{tool("say")}, call: func(ctx context.Context, c call.Request) Result {
		asked <- c.Progress != nil
		return Result{}
	}}
	for meta, expect := range map[string]bool{
		"": false, `,"_meta":{}`: false, `,"_meta":{"progressToken":null}`: false, `,"_meta":{"progressToken":{}}`: false,
		`,"_meta":{"progressToken":"a"}`: true, `,"_meta":{"progressToken":7}`: true,
	} {
		synctest.Test(t, func(t *testing.T) {
			p := dial(t, Options{Caller: d})
			p.call("1", meta)
			p.recv()
			if got := <-asked; got != expect {
				t.Errorf("%s: %v", meta, got)
			}
			p.end()
		})
	}
}

func TestCut(t *testing.T) {
	for _, s := range []string{"", "a", strings.Repeat("a", 200), strings.Repeat("a", 201), strings.Repeat("😀", 200),
		strings.Repeat("😀", 5000), strings.Repeat("é\n", 300), "a\xff" + strings.Repeat("b", 300)} {
		got := cut(s, 200)
		if n := utf8.RuneCountInString(got); n > 200 || n < min(200, utf8.RuneCountInString(s)) {
			t.Errorf("%d characters left of %d", n, utf8.RuneCountInString(s))
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("cut through a character: %q", got[len(got)-8:])
		}
		if utf8.RuneCountInString(s) <= 200 && got != s {
			t.Errorf("needlessly changed")
		}
	}
}
