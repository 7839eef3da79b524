package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// reader reads when it is let.
type reader struct {
	let  chan struct{}
	text strings.Builder
}

func (r *reader) Write(p []byte) (int, error) {
	<-r.let
	return r.text.Write(p)
}

// TestNobodyReadsTheLog: a call must not wait for the client to read standard error.
func TestNobodyReadsTheLog(t *testing.T) {
	r := &reader{let: make(chan struct{})}
	l := newLogger(r)
	for range maxLines + 10 { // one more is on its way
		l.Info("line")
	}
	if l.lines.lost.Load() < 9 {
		t.Errorf("%d lines left out", l.lines.lost.Load())
	}
	l.close(time.Millisecond) // it is not waited for
	close(r.let)
	<-l.lines.done
	if n := strings.Count(r.text.String(), "line\n"); n < maxLines {
		t.Errorf("%d lines", n)
	}
	l.Info("after the end") // is nobody's
}

// TestLostLinesAreTold once there is room.
func TestLostLinesAreTold(t *testing.T) {
	var text strings.Builder
	l := newLogger(&text)
	l.lines.lost.Store(7)
	l.Info("line")
	l.Info("line")
	l.close(time.Minute)
	if got := text.String(); strings.Count(got, "left out") != 1 || !strings.Contains(got, "lines=7") || strings.Index(got, "left out") > strings.Index(got, "msg=line") {
		t.Error(got)
	}
}

func TestLogSettings(t *testing.T) {
	for _, c := range []struct {
		settings lang.Settings
		want     string
	}{
		{lang.Settings{}, "info warn error"},
		{lang.Settings{Debug: true}, "debug info warn error"},
		{lang.Settings{Debug: true, Log: lang.LogSpec{Level: "error"}}, "debug info warn error"},
		{lang.Settings{Log: lang.LogSpec{Level: "debug"}}, "debug info warn error"},
		{lang.Settings{Log: lang.LogSpec{Level: "warn"}}, "warn error"},
		{lang.Settings{Log: lang.LogSpec{Level: "error", Format: "json"}}, "error"},
	} {
		var text strings.Builder
		l := newLogger(&text)
		l.apply(c.settings)
		sub := l.With("a", 1).WithGroup("g")
		sub.Debug("debug", "b", 2)
		sub.Info("info", "b", 2)
		sub.Warn("warn", "b", 2)
		sub.Error("error", "b", 2)
		l.close(time.Minute)
		var got []string
		for line := range strings.Lines(text.String()) {
			json := c.settings.Log.Format == "json"
			if json != strings.Contains(line, `"a":1,"g":{"b":2}}`) || !json != strings.Contains(line, "a=1 g.b=2") {
				t.Errorf("%+v: %s", c.settings, line)
			}
			for _, word := range []string{"debug", "info", "warn", "error"} {
				if strings.Contains(line, "msg="+word) || strings.Contains(line, `"msg":"`+word) {
					got = append(got, word)
				}
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %v, want %s", c.settings, got, c.want)
		}
	}
}

func BenchmarkLogLine(b *testing.B) {
	l := newLogger(io.Discard)
	for b.Loop() {
		l.Info("call begins", "tool", "acme_request", "correlationId", "c39702b8-9eb7-4a05-866b-6f70eab7cd01", "promptBytes", 12)
	}
}
