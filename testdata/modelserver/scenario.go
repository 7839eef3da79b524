package modelserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// scenario is how the vendor behaves; the first path segment spells it:
//
//	ok                  answer (see the package comment)
//	e401 ... e529       fail with that HTTP status and the vendor's error body
//	e429once[-LABEL]    fail the first request, answer the later ones; the label
//	                    only makes it another scenario, with a first of its own
//	slow3               answer after that many seconds
//	hang                never answer
//	cut                 break the connection after the first piece of text
//	empty               answer with no text
//	big512              answer with that many KiB of text
//	tool:REGEX          call the first offered tool whose name matches (once a
//	                    turn), then answer, quoting its result; a tool inside a
//	                    namespace is matched as NAMESPACE/NAME
//	tool:REGEX={JSON}   the same with these arguments; without them the required
//	                    parameters are made up from the tool's schema; {prompt}
//	                    inside a text stands for the prompt
//	tries:[CALL, ...]   call these tools one by one in each turn, offered or not, then
//	                    answer, quoting the result of the last one; a CALL is
//	                    {"tool": NAME, "args": {...}}
//	held:SCENARIO       the same, but once a tool was run no answer comes before
//	                    Handler.Release
//
// A segment is percent-encoded like any other.
type scenario struct {
	status int
	once   bool
	delay  time.Duration
	hang   bool
	held   bool
	cut    bool
	empty  bool
	big    int // bytes
	tool   *regexp.Regexp
	args   string // JSON
	tries  []try
}

// try is a call of a tool that need not have been offered; of one inside a namespace
// the name is NAMESPACE/NAME.
type try struct {
	Tool string
	Args json.RawMessage
}

var counted = regexp.MustCompile(`^(e|slow|big)(\d{1,6})(once(?:-.*)?)?$`)

func parseScenario(segment string) (scenario, error) {
	if rest, ok := strings.CutPrefix(segment, "held:"); ok {
		sc, err := parseScenario(rest)
		sc.held = true
		return sc, err
	}
	if pattern, ok := strings.CutPrefix(segment, "tool:"); ok {
		pattern, args, given := strings.Cut(pattern, "={")
		if given {
			args = "{" + args
		}
		re, err := regexp.Compile(pattern)
		return scenario{tool: re, args: args}, err
	}
	if list, ok := strings.CutPrefix(segment, "tries:"); ok {
		var sc scenario
		err := json.Unmarshal([]byte(list), &sc.tries)
		return sc, err
	}
	switch segment {
	case "ok":
		return scenario{}, nil
	case "hang":
		return scenario{hang: true}, nil
	case "cut":
		return scenario{cut: true}, nil
	case "empty":
		return scenario{empty: true}, nil
	}
	m := counted.FindStringSubmatch(segment)
	if m == nil || m[3] != "" && m[1] != "e" {
		return scenario{}, fmt.Errorf("no such scenario: %q", segment)
	}
	n, err := strconv.Atoi(m[2])
	if err != nil {
		return scenario{}, err
	}
	switch m[1] {
	case "slow":
		return scenario{delay: time.Duration(n) * time.Second}, nil
	case "big":
		return scenario{big: n << 10}, nil
	}
	if n < 400 || n > 599 {
		return scenario{}, fmt.Errorf("scenario %q: not an error status", segment)
	}
	return scenario{status: n, once: m[3] != ""}, nil
}

// wait holds a slow answer back. It reports whether anybody still wants it.
func (h *Handler) wait(r *http.Request, sc scenario, t turn) bool {
	var due <-chan time.Time
	var released <-chan struct{}
	switch {
	case sc.held && t.result != nil:
		released = h.released
	case !sc.hang:
		timer := time.NewTimer(sc.delay)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
		return true
	case <-released:
		return true
	case <-r.Context().Done():
	case <-h.quit:
	}
	return false
}

// reply is what the model says: either text or one tool call.
type reply struct {
	text string
	call *call
	cut  bool
}

type call struct {
	tool tool
	args string // JSON
}

func (sc scenario) reply(t turn) reply {
	switch {
	case sc.empty:
		return reply{}
	case sc.big > 0:
		return reply{text: filler(sc.big)}
	case t.answered() < len(sc.tries) && len(t.tools) > 0: // a title is asked for without tools
		return reply{call: sc.tries[t.answered()].call()}
	case sc.tool == nil && sc.tries == nil:
		return reply{text: t.summary(), cut: sc.cut}
	case t.result != nil:
		return reply{text: t.summary() + fmt.Sprintf(" tool=%q", tail(*t.result, 400))}
	}
	for _, offered := range t.tools {
		if sc.tool != nil && sc.tool.MatchString(offered.fullName()) {
			args := strings.ReplaceAll(sc.args, "{prompt}", t.escaped())
			if args == "" {
				args = offered.madeUpArguments()
			}
			return reply{call: &call{tool: offered, args: args}}
		}
	}
	return reply{text: t.summary() + fmt.Sprintf(" no-tool-among=%q", t.toolNames())}
}

func (t try) call() *call {
	namespace, name, in := strings.Cut(t.Tool, "/")
	if !in {
		namespace, name = "", t.Tool
	}
	return &call{tool: tool{namespace: namespace, name: name}, args: string(t.Args)}
}

// filler is text that differs from word to word, so that a client cannot take
// it for a model that loops.
func filler(size int) string {
	var b strings.Builder
	for n := uint32(1); b.Len() < size; n++ {
		end := " "
		if n%12 == 0 {
			end = ".\n"
		}
		b.WriteString("w" + strconv.FormatUint(uint64(n*2654435761), 36) + end)
	}
	return b.String()[:size]
}
