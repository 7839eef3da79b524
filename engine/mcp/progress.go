package mcp

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	progressEvery   = 250 * time.Millisecond // at most
	progressBeat    = 10 * time.Second       // at least: clients give up on silent calls
	progressMessage = 200                    // characters
)

// progress sends the progress notifications of one request. They are written by a
// timer's goroutine, so that a tool never waits for a client that does not read.
type progress struct {
	token json.RawMessage
	out   *writer
	began time.Time

	mu      sync.Mutex
	timer   *time.Timer // always armed, until done
	soon    bool        // armed for pending, not for the next beat
	pending *string
	sent    string    // the last report
	last    time.Time // when it was sent
	done    bool

	// writing is held from taking a report to having written it: it keeps
	// reports in order and lets finish wait for the one on its way.
	writing sync.Mutex
	n       int
}

func newProgress(token json.RawMessage, out *writer) *progress {
	p := &progress{token: token, out: out, began: time.Now(), sent: "running"}
	p.mu.Lock() // the timer must not fire before it is there
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(progressBeat, p.flush)
	return p
}

// report sends message, at once or as soon as the rate allows.
func (p *progress) report(message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done {
		return
	}
	p.pending = &message
	if !p.soon {
		p.soon = true
		p.timer.Reset(max(0, progressEvery-time.Since(p.last)))
	}
}

// flush writes the report that is due, if any.
func (p *progress) flush() {
	p.writing.Lock()
	defer p.writing.Unlock()
	if message := p.take(); message != "" {
		p.write(message)
	}
}

// take returns the report that is due now, or nothing.
func (p *progress) take() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done {
		return ""
	}
	beat := p.pending == nil
	if quiet := time.Since(p.last); beat && quiet < progressBeat { // a report overtook the timer
		p.timer.Reset(progressBeat - quiet)
		return ""
	}
	if !beat {
		p.sent = *p.pending
	}
	p.soon, p.pending, p.last = false, nil, time.Now()
	p.timer.Reset(progressBeat)
	if beat {
		return cut(p.sent, progressMessage-20) + fmt.Sprintf(" (%d s)", int(time.Since(p.began).Seconds()))
	}
	return cut(p.sent, progressMessage)
}

// finish ends reporting: when it returns, nothing more is written. What still
// waits is written if the rate allows it now; else the answer supersedes it.
func (p *progress) finish() {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.mu.Lock()
	due := p.pending != nil && time.Since(p.last) >= progressEvery
	p.mu.Unlock()
	message := ""
	if due {
		message = p.take()
	}
	p.stop()
	if message != "" {
		p.write(message)
	}
}

// stop ends reporting without waiting for a report on its way.
func (p *progress) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.pending = true, nil
	p.timer.Stop()
}

func (p *progress) write(message string) {
	p.n++
	type params struct {
		Token    json.RawMessage `json:"progressToken"`
		Progress int             `json:"progress"`
		Message  string          `json:"message,omitempty"`
	}
	// Cannot fail: the token was taken from valid JSON.
	_ = p.out.value(struct {
		JSONRPC string `json:"jsonrpc"`
		Method  string `json:"method"`
		Params  params `json:"params"`
	}{"2.0", methodProgress, params{p.token, p.n, message}})
}

// cut shortens s to n characters, the last of them an ellipsis if any are lost.
func cut(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	for i := range s {
		if n--; n == 0 {
			return s[:i] + "…"
		}
	}
	return s
}
