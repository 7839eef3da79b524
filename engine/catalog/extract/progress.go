package extract

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Stream is where a running call prints to.
type Stream int

// The streams of a call.
const (
	Stdout Stream = iota
	Stderr
)

// maxTail and maxLabel bound a message of progress and the label in it, in
// characters.
const (
	maxTail  = 200
	maxLabel = 60
)

// maxJoined bounds a text that comes in parts, in bytes. Its end is all that shows, and
// this is enough for maxTail characters, with a space more on each side of a part.
const maxJoined = 1 << 10

// progressRule reads what a call does out of records, or out of lines that are none.
type progressRule struct {
	when, label, take *Expression
	concat            bool
	line              *regexp.Regexp // lines that the rule is for; nil: it is for records, unless every
	every             bool           // it is for every line

	once   sync.Once
	needed [][]byte // one of them stands in every record for which when holds; nil if that is unknown
}

// progress compiles the rules by which a running call is watched.
func (c compiler) progress(specs []lang.ProgressSpec, format string, ps lang.Problems) {
	out := c.out
	if specs == nil {
		if t := out.text; t != nil && format == "jsonl" {
			out.progress = append(out.progress, &progressRule{when: t.when, take: t.take, concat: t.fold == "concat"})
		}
		out.progress = append(out.progress, &progressRule{every: true})
	}
	for i, spec := range specs {
		if r := c.progressRule(spec, format, ps.At(i)); r != nil {
			out.progress = append(out.progress, r)
		}
	}
}

func (c compiler) progressRule(spec lang.ProgressSpec, format string, ps lang.Problems) *progressRule {
	switch ofRecords := spec.When + spec.Label + spec.Take + spec.Fold; {
	case spec.Line != "" && ofRecords != "":
		ps.Add("shape", "line cannot be combined with other fields").Hint = "split it into two rules"
		return nil
	case spec.Line != "":
		re, err := regexp.Compile(spec.Line)
		if err != nil {
			ps.At("line").Add("regexp", "%s", strings.TrimPrefix(err.Error(), "regexp: "))
			return nil
		}
		return &progressRule{line: re}
	case spec.Take == "" && spec.Label == "":
		ps.Add("shape", "the rule has no effect").Hint = "give it take or line"
		return nil
	case format != "jsonl":
		ps.Add("shape", "format %q has no records while the CLI runs", format).Hint = `use line, or set output.format to "jsonl"`
		return nil
	}
	return &progressRule{
		when:   c.condition(spec.When, recordScope, ps.At("when")),
		label:  c.value(spec.Label, recordScope, ps.At("label")),
		take:   c.value(spec.Take, recordScope, ps.At("take")),
		concat: spec.Fold == "concat",
	}
}

// ofRecords reports whether the rule is for records.
func (r *progressRule) ofRecords() bool { return r.line == nil && !r.every }

// mayHold tells by a look at its text whether the rule can hold for a record, because
// to parse one takes many times as long.
func (r *progressRule) mayHold(record []byte) bool {
	r.once.Do(func() { r.needed = r.when.prefilter() })
	return r.needed == nil || containsAny(record, r.needed)
}

// Progress reads what a running call prints, and tells in a line what it does. It
// keeps less than 200 KB, whatever is printed. It is for one goroutine at a time.
type Progress struct {
	rules   []*progressRule
	records bool // standard output holds a record a line
	silent  bool // standard output holds nothing that can be read before its end
	decode  [2]encoding
	pending [2]line // that have not ended
	last    Stream  // that printed last

	said news   // whose message it is, its text aside
	text []byte // of the message

	tail  string
	known bool // tail is up to date
}

// Progress begins to watch a run of the CLI.
func (o *Output) Progress() *Progress {
	format := o.spec.Output.Format
	return &Progress{rules: o.progress, decode: [2]encoding{o.newEncoding(), o.newEncoding()}, records: format == "jsonl", silent: format == "json"}
}

// Write takes the next part of what was printed. Where the parts are cut does not
// matter. It does not keep b.
func (p *Progress) Write(stream Stream, b []byte) {
	if len(b) == 0 || stream == Stdout && p.silent {
		return
	}
	p.last, p.known = stream, false
	if b = p.decode[stream].text(b); len(b) == 0 {
		return
	}
	l, records := &p.pending[stream], stream == Stdout && p.records
	if l.kind != blank {
		end := bytes.IndexAny(b, lineEnds)
		if end < 0 {
			l.add(b, records)
			return
		}
		l.add(b[:end], records)
		if n := p.read(l); n.rule != nil {
			p.say(n)
		}
		l.reset(blank)
		b = b[end+1:]
	}
	end := bytes.LastIndexAny(b, lineEnds) + 1
	p.lines(l, b[:end], records)
	l.add(b[end:], records)
}

// lineEnds end a line. A carriage return begins it anew, on a screen; what stood there
// before was meant to be read.
const lineEnds = "\r\n"

// Skip says that what follows on the stream does not join what was written: output
// was left out, or reading begins in its middle. What comes up to the next end of line
// is lost.
func (p *Progress) Skip(stream Stream) {
	l := &p.pending[stream]
	if l.kind == plain {
		if n := p.read(l); n.rule != nil {
			p.say(n)
		}
	}
	l.reset(torn)
	p.known = false
}

// lines reads whole lines, the newest first, as far back as the message depends on
// them: in a flood only the last of what was printed since the last look counts. It
// uses l, which is empty, for lines that are too long.
func (p *Progress) lines(l *line, b []byte, records bool) {
	var found []news
	var newest news
	joined := 0
	for len(b) > 0 && joined < maxJoined {
		b = b[:len(b)-1]
		start := bytes.LastIndexAny(b, lineEnds) + 1
		n := p.whole(l, b[start:], records)
		b = b[:start]
		if n.rule == nil {
			continue
		}
		found = append(found, n)
		if n.visible() {
			if newest.rule == nil {
				newest = n
			}
			if !n.joins(newest) {
				break
			}
		}
		if n.joins(newest) && n.visible() {
			joined += len(n.text)
		}
	}
	for _, n := range slices.Backward(found) {
		p.say(n)
	}
}

// whole reads one line.
func (p *Progress) whole(l *line, text []byte, records bool) news {
	if len(text) <= maxPiece {
		text = trimLeft(text)
		return p.read(&line{buf: text, kind: kindOf(text, records)})
	}
	l.add(text, records)
	defer l.reset(blank)
	return p.read(l)
}

// news is what a rule has to say of a record or line.
type news struct {
	rule        *progressRule
	label, text string
}

// visible reports whether there is anything to show.
func (n news) visible() bool { return text.Visible(n.text) || text.Visible(n.label) }

// joins reports whether it belongs to the same message as other.
func (n news) joins(other news) bool {
	return n.rule.concat && n.rule == other.rule && n.label == other.label
}

// read asks the rules about a line; the rule is nil if none has anything to say.
func (p *Progress) read(l *line) news {
	switch l.kind {
	case record:
		return p.readRecord(l.buf)
	case plain:
		return p.readLine(l.end())
	}
	return news{}
}

func (p *Progress) readRecord(body []byte) news {
	var env map[string]any
	for _, r := range p.rules {
		if !r.ofRecords() || env == nil && !r.mayHold(body) {
			continue
		}
		if env == nil {
			var event map[string]any
			if json.Unmarshal(body, &event) != nil {
				return news{}
			}
			env = map[string]any{"event": event}
		}
		if !r.when.Holds(env) {
			continue
		}
		n := news{rule: r, label: begin(r.label.text(env)), text: begin(r.take.text(env))}
		if r.concat {
			n.text = text.Clean(n.text)
		}
		if r.concat && n.label+n.text != "" || n.visible() {
			return n
		}
	}
	return news{}
}

// begin bounds a text that was put together of many.
func begin(s string) string { return s[:min(len(s), maxPiece)] }

func (p *Progress) readLine(body []byte) news {
	for _, r := range p.rules {
		said := body
		if r.line != nil {
			at := r.line.FindSubmatchIndex(body)
			switch {
			case at == nil:
				continue
			case len(at) > 2 && at[2] < 0:
				said = nil
			case len(at) > 2:
				said = body[at[2]:at[3]]
			}
		}
		if !r.ofRecords() && text.Visible(said) {
			return news{rule: r, text: string(said)}
		}
	}
	return news{}
}

// say makes a message of the news.
func (p *Progress) say(n news) {
	if !n.joins(p.said) {
		if !n.visible() {
			return // only between parts white space says something
		}
		p.said, p.text = news{rule: n.rule, label: n.label}, p.text[:0]
	}
	if bytes.HasSuffix(p.text, []byte(" ")) {
		n.text = strings.TrimPrefix(n.text, " ")
	}
	p.text = append(p.text, n.text...)
	if len(p.text) > 2*maxJoined && n.rule.concat {
		p.text = p.text[:copy(p.text, p.text[len(p.text)-maxJoined:])]
	}
}

// Tail is the newest that was said about what the call does: one line of at most 200
// characters, without control sequences. It is "" as long as nothing is known.
func (p *Progress) Tail() string {
	if p.known {
		return p.tail
	}
	n := p.said
	if n.text = string(p.text); n.rule != nil && n.rule.concat {
		n.text = string(p.text[max(0, len(p.text)-maxJoined):])
	}
	// What has no end of line yet may be all there is: a prompt, or an answer that
	// comes word by word.
	if l := &p.pending[p.last]; l.kind == plain {
		if newer := p.read(l); newer.rule != nil {
			n = newer
		}
	}
	p.tail, p.known = n.message(), true
	return p.tail
}

// message writes a message. Too long a text loses its beginning, because the end is
// the newest, but behind a label its end, because a tool is known by what it begins with.
func (n news) message() string {
	if n.rule == nil {
		return ""
	}
	head, said := text.Head(text.OneLine(n.label), maxLabel), text.OneLine(n.text)
	switch {
	case head == "":
	case said == "":
		return head
	default:
		head += ": "
	}
	room := maxTail - utf8.RuneCountInString(head)
	if n.rule.label != nil && !n.rule.concat {
		return head + text.Head(said, room)
	}
	return head + text.Tail(said, room)
}
