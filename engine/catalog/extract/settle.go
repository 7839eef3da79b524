package extract

import (
	"bytes"
	"time"
)

// DefaultSettle is how long a program may stay after its final record.
const DefaultSettle = 5 * time.Second

// Settle watches what a running program prints, and tells when it has ended its output and
// stays all the same. It is for one goroutine at a time.
type Settle struct {
	d       decoder
	after   time.Duration
	needed  [][]byte // one of them stands in every record that matters before the end; nil if that is unknown
	pending []byte   // a line without its end
	looked  int      // bytes of it that were read as if it had one

	encoding    encoding
	ended, busy bool
	now, since  time.Time
}

// Settle begins to watch a run of the CLI; nil if no record of it ends its output, or its
// spec lets it stay.
func (o *Output) Settle() *Settle {
	s := &Settle{after: DefaultSettle, encoding: o.newEncoding()}
	if ms := o.spec.Output.SettleMs; ms != nil {
		s.after = time.Duration(*ms) * time.Millisecond
	}
	if o.end == nil || s.after == 0 {
		return nil
	}
	s.d = decoder{out: o, gaps: map[*take]bool{}, each: s.record}
	if s.needed = o.end.prefilter(); o.busy != nil {
		s.needed = nil
	}
	return s
}

// After is for how long the program may stay, longer than 0.
func (s *Settle) After() time.Duration { return s.after }

// Write takes the next part of standard output, which was seen at a time. Where the parts
// are cut does not matter. It does not keep b.
func (s *Settle) Write(b []byte, now time.Time) {
	s.now, b = now, s.encoding.text(b)
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			s.pending = append(s.pending, b...)
			return
		}
		line := b[:end]
		if len(s.pending) > 0 {
			s.pending = append(s.pending, line...)
			line = s.pending
		}
		s.line(line)
		s.pending, s.looked = s.pending[:0], 0
		b = b[end+1:]
	}
}

// Settled reports whether the program has stayed for long enough at a time.
func (s *Settle) Settled(now time.Time) bool {
	if len(s.pending) > s.looked { // the last record may have no end of line
		s.looked = len(s.pending)
		s.line(s.pending)
	}
	return s.ended && !s.busy && now.Sub(s.since) >= s.after
}

func (s *Settle) line(line []byte) {
	if s.ended || s.needed == nil || containsAny(line, s.needed) {
		s.d.line(line)
	}
}

// record starts the clock at a record that ends the output, and again at those that an
// extraction reads. The id of the conversation may stand in all of them.
func (s *Settle) record(v any) {
	env, out := map[string]any{"event": v}, s.d.out
	if out.busy != nil {
		if said, err := out.busy.eval(env); err == nil {
			if yes, ok := said.(bool); ok {
				s.busy, s.since = yes, s.now
			}
		}
	}
	switch {
	case out.end.Holds(env):
		s.ended, s.since = true, s.now
	case s.ended && out.reads(env):
		s.since = s.now
	}
}

// reads reports whether an extraction of what a turn comes to reads a record.
func (o *Output) reads(env map[string]any) bool {
	takes := []*take{o.text, o.stream, o.error, o.cost}
	for _, t := range o.usage {
		takes = append(takes, t)
	}
	for _, t := range takes {
		if t == nil || !t.when.Holds(env) {
			continue
		}
		if v, err := t.take.eval(env); err == nil && v != nil && v != "" || t == o.stream {
			return true
		}
	}
	return false
}
