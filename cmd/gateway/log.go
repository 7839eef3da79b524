package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// logger writes to standard error, as the settings have it: they come after the first lines.
type logger struct {
	*slog.Logger
	level slog.LevelVar
	json  atomic.Bool
	lines *lines
}

func newLogger(to io.Writer) *logger {
	l := &logger{lines: newLines(to)}
	options := &slog.HandlerOptions{Level: &l.level}
	l.Logger = slog.New(&handler{l, slog.NewTextHandler(l.lines, options), slog.NewJSONHandler(l.lines, options)})
	return l
}

// apply puts settings into effect.
func (l *logger) apply(s lang.Settings) {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.Log.Level)) // the schema knows the names; none is "info"
	if s.Debug {
		level = slog.LevelDebug
	}
	l.level.Set(level)
	l.json.Store(s.Log.Format == "json")
}

// close waits until all lines are written, for so long at most.
func (l *logger) close(most time.Duration) { l.lines.close(most) }

// handler hands a record to the form that is set by now.
type handler struct {
	log        *logger
	text, json slog.Handler
}

func (h *handler) form() slog.Handler {
	if h.log.json.Load() {
		return h.json
	}
	return h.text
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.form().Enabled(ctx, level)
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if n := h.log.lines.takeLost(); n > 0 {
		lost := slog.NewRecord(r.Time, slog.LevelWarn, "lines of the log were left out, because nobody read it", 0)
		lost.AddAttrs(slog.Int64("lines", n))
		_ = h.form().Handle(ctx, lost)
	}
	return h.form().Handle(ctx, r)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{h.log, h.text.WithAttrs(attrs), h.json.WithAttrs(attrs)}
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.log, h.text.WithGroup(name), h.json.WithGroup(name)}
}

// lines writes each line in a goroutine of its own: a client that does not read our standard
// error must not hold up a call. Lines for which there is no room are left out, and counted.
type lines struct {
	queue chan []byte
	done  chan struct{} // closed when all of the queue is written
	lost  atomic.Int64

	mu     sync.Mutex
	closed bool
}

// maxLines is how many lines wait to be written.
const maxLines = 1000

func newLines(to io.Writer) *lines {
	l := &lines{queue: make(chan []byte, maxLines), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for line := range l.queue {
			_, _ = to.Write(line) // there is nowhere to say that it failed
		}
	}()
	return l
}

// Write implements io.Writer. It does not wait.
func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		select {
		case l.queue <- bytes.Clone(line):
		default:
			l.lost.Add(1)
		}
	}
	return len(line), nil
}

// takeLost is how many lines were left out that nobody was told of, once there is room to say so.
func (l *lines) takeLost() int64 {
	if len(l.queue) > maxLines/2 {
		return 0
	}
	return l.lost.Swap(0)
}

func (l *lines) close(most time.Duration) {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.queue)
	}
	l.mu.Unlock()
	select {
	case <-l.done:
	case <-time.After(most):
	}
}
