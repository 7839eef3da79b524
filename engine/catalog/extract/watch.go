package extract

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// EndedByWatch is why a run was ended that will give no answer, as its spec says of what it
// printed. It takes the place of a class in Run.Ended.
const EndedByWatch = "watch"

// seen is what rules have found that says that a run will give no answer.
type seen struct {
	rule    *watchRule // the first that held; nil if none did
	message string
}

func (s *seen) record(o *Output, env map[string]any) {
	for _, w := range o.watch {
		if s.rule != nil {
			return
		}
		if texts, ok := w.ofRecord(env); ok {
			s.rule, s.message = w, strings.Join(texts, "; ")
		}
	}
}

func (s *seen) line(o *Output, line string) {
	for _, w := range o.watch {
		if s.rule != nil {
			return
		}
		if _, ok := w.ofLine(line); ok {
			s.rule, s.message = w, line
		}
	}
}

// ends reports whether the run is to be ended.
func (s *seen) ends() bool { return s.rule != nil && (s.rule.End == nil || *s.rule.End) }

// failure makes the failure of a run of it.
func (s *seen) failure(f *lang.Failure, name string, ended bool) {
	f.Class, f.Hint = s.rule.Class, s.rule.Hint
	said := text.Head(text.OneLine(s.message), maxWarningText)
	if !ended {
		f.Message = cmp.Or(f.Message, said)
		return
	}
	f.Message = name + " was ended, because it would give no answer"
	if said != "" {
		f.Message += ": " + said
	}
}

// Watch looks at what a running program prints for what says that it will give no answer. It
// is for one goroutine at a time.
type Watch struct {
	d       decoder
	format  string
	pending [2][]byte // lines without their ends
	decode  [2]encoding
	needed  [][]byte // one of them stands in every record that matters; nil if that is unknown
}

// Watch begins to watch a run of the CLI; nil if its spec has no rule that ends one.
func (o *Output) Watch() *Watch {
	w := &Watch{format: o.spec.Output.Format, decode: [2]encoding{o.newEncoding(), o.newEncoding()}}
	w.d = decoder{out: o, gaps: map[*take]bool{}, each: w.record}
	if !slices.ContainsFunc(o.watch, func(rule *watchRule) bool { return (&seen{rule: rule}).ends() }) {
		return nil
	}
	if o.end != nil && !slices.ContainsFunc(o.watch, func(rule *watchRule) bool { return rule.line == nil }) {
		w.needed = o.end.prefilter()
	}
	return w
}

// record looks at a record, until one ends the output.
func (w *Watch) record(v any) {
	env, end := map[string]any{"event": v}, w.d.out.end
	switch {
	case w.done():
	case end != nil && end.Holds(env):
		w.d.end = v
	default:
		w.d.seen.record(w.d.out, env)
	}
}

// Write takes the next part of what was printed. Where the parts are cut does not matter.
// It does not keep b.
func (w *Watch) Write(stream Stream, b []byte) {
	p := &w.pending[stream]
	b = w.decode[stream].text(b)
	for !w.done() {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			*p = append(*p, b...)
			return
		}
		*p = append(*p, b[:end]...)
		w.line(stream, *p)
		*p, b = (*p)[:0], b[end+1:]
	}
}

// done reports whether what is printed from now on does not matter.
func (w *Watch) done() bool { return w.d.seen.rule != nil || w.d.end != nil }

func (w *Watch) line(stream Stream, line []byte) {
	if stream == Stdout && w.format == "jsonl" {
		if w.needed == nil || !bytes.HasPrefix(line, []byte("{")) || containsAny(line, w.needed) {
			w.d.line(line)
		}
		return
	}
	if len(line) <= maxRecord { // a longer one asks nobody anything
		w.d.noteLines(string(line))
	}
}

// Hopeless reports whether the run is to be ended. A question has no end of line: what stands
// behind the last one is looked at as well.
func (w *Watch) Hopeless() bool {
	for _, line := range w.pending {
		if len(line) > 0 && len(line) <= maxRecord && !w.done() && !bytes.HasPrefix(line, []byte("{")) {
			w.d.noteLines(string(line))
		}
	}
	return w.d.seen.ends()
}
