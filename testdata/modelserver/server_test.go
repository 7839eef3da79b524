package modelserver

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestReplyProvesPromptAndTurns(t *testing.T) {
	each(t, func(t *testing.T, s *Server, v vendor, stream bool) {
		a := ask(t.Context(), s, "ok", v, stream, v.body(stream, "first", "hello"))
		want := `FAKE-REPLY turns=2 bytes=5 sha=2cf24dba5fb0 model="m" last="hello"`
		if a.err != nil || a.text != want {
			t.Errorf("got %+v, want text %s", a, want)
		}
		got := s.Requests()[0]
		if got.Scenario != "ok" || got.Protocol != v.name || got.Model != "m" || got.Stream != stream ||
			got.Turns != 2 || got.Prompt != "hello" || len(got.Users) != 2 || len(got.Tools) != 1 || len(got.Body) == 0 {
			t.Errorf("recorded %+v", got)
		}
	})
}

func TestFailuresHaveTheirStatusAndAMessage(t *testing.T) {
	each(t, func(t *testing.T, s *Server, v vendor, stream bool) {
		for _, code := range []int{400, 401, 403, 404, 429, 500, 503, 529} {
			a := ask(t.Context(), s, fmt.Sprintf("e%d", code), v, stream, v.body(stream, "x"))
			if a.status != code || a.err != nil {
				t.Errorf("e%d: %+v", code, a)
			}
		}
		for i, want := range []int{429, 200, 200} {
			if a := ask(t.Context(), s, "e429once-a", v, stream, v.body(stream, "x")); a.status != want {
				t.Errorf("request %d of e429once: status %d, want %d", i, a.status, want)
			}
		}
		if a := ask(t.Context(), s, "e429once-b", v, stream, v.body(stream, "x")); a.status != 429 {
			t.Errorf("another label: status %d, want a first failure of its own", a.status)
		}
	})
}

func TestSizes(t *testing.T) {
	each(t, func(t *testing.T, s *Server, v vendor, stream bool) {
		if a := ask(t.Context(), s, "empty", v, stream, v.body(stream, "x")); a.text != "" || a.status != 200 || a.err != nil {
			t.Errorf("empty: %+v", a)
		}
		if a := ask(t.Context(), s, "big300", v, stream, v.body(stream, "x")); len(a.text) != 300<<10 {
			t.Errorf("big300: %d bytes, %v", len(a.text), a.err)
		}
	})
}

func TestToolIsCalledOnceATurn(t *testing.T) {
	each(t, func(t *testing.T, s *Server, v vendor, stream bool) {
		a := ask(t.Context(), s, "tool:Shell$", v, stream, v.body(stream, "x"))
		if a.tool != "Shell" || a.args != `{"command":"echo hi-from-shell \u003e shell-was-here.txt","n":1}` {
			t.Errorf("call: %+v", a)
		}
		if a := ask(t.Context(), s, `tool:Shell={"a":1}`, v, stream, v.body(stream, "x")); a.args != `{"a":1}` {
			t.Errorf("given arguments: %+v", a)
		}
		if a := ask(t.Context(), s, `tool:Shell={"a":"{prompt}!"}`, v, stream, v.body(stream, `x"y`)); a.args != `{"a":"x\"y!"}` {
			t.Errorf("prompt in arguments: %+v", a)
		}
		a = ask(t.Context(), s, "tool:Shell", v, stream, v.answered(v.body(stream, "x"), "RESULT"))
		if a.tool != "" || !strings.Contains(a.text, "turns=1 ") || !strings.Contains(a.text, "RESULT") {
			t.Errorf("after the result: %+v", a)
		}
		a = ask(t.Context(), s, "tool:nothing", v, stream, v.body(stream, "x"))
		if !strings.Contains(a.text, "no-tool-among=") || !strings.Contains(a.text, "Shell") {
			t.Errorf("no such tool: %+v", a)
		}
	})
}

func TestToolIsCalledAgainInTheNextTurn(t *testing.T) {
	s := New()
	defer s.Close()
	v := vendors[0]
	body := add(v.answered(v.body(true, "x"), "OLD"), "messages", object{"role": "user", "content": "again"})
	if a := ask(t.Context(), s, "tool:Shell", v, true, body); a.tool != "Shell" {
		t.Errorf("%+v", a)
	}
}

func TestNamespacedTool(t *testing.T) {
	s := New()
	defer s.Close()
	v := vendors[1]
	if a := ask(t.Context(), s, "tool:^ns/Shell$", v, true, v.body(true, "x")); a.tool != "Shell" {
		t.Errorf("%+v", a)
	}
}

func TestCutBreaksTheConnection(t *testing.T) {
	each(t, func(t *testing.T, s *Server, v vendor, stream bool) {
		a := ask(t.Context(), s, "cut", v, stream, v.body(stream, "x"))
		if a.err == nil || a.status != 200 {
			t.Errorf("%+v", a)
		}
		if stream && !strings.HasPrefix(a.text, "FAKE-REPLY") {
			t.Errorf("nothing arrived before the cut: %+v", a)
		}
	})
}

func TestHangEndsWithTheServer(t *testing.T) {
	s := New()
	ended := make(chan answer)
	go func() { ended <- ask(context.Background(), s, "hang", vendors[0], true, vendors[0].body(true, "x")) }()
	for deadline := time.Now().Add(10 * time.Second); len(s.Requests()) == 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the request never arrived")
		}
	}
	select {
	case a := <-ended:
		t.Fatalf("answered: %+v", a)
	default:
	}
	s.Close()
	if a := <-ended; a.text != "" {
		t.Errorf("answered at the end: %+v", a)
	}
}

func TestHeldAnswersAreReleased(t *testing.T) {
	each(t, func(t *testing.T, s *Server, v vendor, stream bool) {
		if a := ask(t.Context(), s, "held:tool:Shell", v, stream, v.body(stream, "x")); a.tool != "Shell" {
			t.Errorf("the call: %+v", a)
		}
		ended, before := make(chan answer), len(s.Requests())
		go func() {
			ended <- ask(context.Background(), s, "held:tool:Shell", v, stream, v.answered(v.body(stream, "x"), "RESULT"))
		}()
		for len(s.Requests()) == before {
			runtime.Gosched()
		}
		select {
		case a := <-ended:
			t.Fatalf("answered: %+v", a)
		default:
		}
		s.Release()
		if a := <-ended; !strings.Contains(a.text, "RESULT") {
			t.Errorf("released: %+v", a)
		}
		s.Release() // once more is no mistake
	})
}

func TestSlowAnswers(t *testing.T) {
	s := New()
	defer s.Close()
	if a := ask(t.Context(), s, "slow0", vendors[0], true, vendors[0].body(true, "x")); !strings.HasPrefix(a.text, "FAKE-REPLY") {
		t.Errorf("%+v", a)
	}
	sc, err := parseScenario("slow7")
	if err != nil || sc.delay != 7*time.Second {
		t.Errorf("slow7: %v, %v", sc.delay, err)
	}
}

func TestRequestsAreServedAsJSON(t *testing.T) {
	s := New()
	defer s.Close()
	ask(t.Context(), s, "ok", vendors[0], true, vendors[0].body(true, "hello"))
	response, err := http.Get(s.Base("requests"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var got []Request
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil || len(got) != 1 || got[0].Prompt != "hello" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSideQuestions(t *testing.T) {
	s := New()
	defer s.Close()
	for path, want := range map[string]string{
		"/v1/messages/count_tokens":    `"input_tokens":101`,
		"/v1beta/models/m:countTokens": `"totalTokens":101`,
		"/v1/models":                   `"fake-model"`,
		"/api/hello":                   `no such path: /api/hello`,
	} {
		response, err := http.Post(s.Base("ok")+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if !strings.Contains(string(text), want) {
			t.Errorf("%s: %s", path, text)
		}
	}
}
