package extract

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog/optimize"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Run is a finished run as Decode sees it.
type Run struct {
	Stdout io.Reader // everything the CLI printed, read once to its end
	Size   int64     // about how much that is, so that memory is taken once; 0 if unknown
	Stderr string    // the end of its standard error
	Exit   int       // exit code; -1 if a signal ended it
	Signal string    // name of that signal, or ""
	Ended  string    // why the gateway ended the run: a class or EndedByWatch, or "" if it ended by itself
	At     time.Time // when it ended; zero: now
	Cut    bool      // part of the output is missing: it exceeded the cap

	// File opens the file that the program wrote beside, of the conversation whose id the
	// program told; nil if nobody looks for it. Its error completes "the file that ... writes";
	// without one and without a text there is nothing to say of it.
	File  func(session string) (File, error)
	Began time.Time // when the run began: records in the file from before do not count
}

// now is the clock of conditions over the run.
func (r Run) now() time.Time {
	if r.At.IsZero() {
		return time.Now()
	}
	return r.At
}

// Answer is what a run came to.
type Answer struct {
	Text      string           // the answer
	Shown     string           // what the caller asked to see; the answer unless outputFormat says otherwise
	SessionID string           // the CLI's own id of the conversation; "" if it told none
	Model     string           // as the CLI reported it; "" if it did not
	Usage     map[string]int64 // token counts by UsageInput, ...; empty if unknown
	Scope     string           // "session" if the counts are cumulative over a continued conversation
	CostUSD   *float64
	CostScope string           // likewise for the cost
	Estimated bool             // the cost was not told, but reckoned from the tokens
	Denied    []string         // tools that the model was not allowed to use, of which a warning tells; nil if none or unknown
	Keys      []string         // variables whose key the program used, as far as it tells
	Saved     *optimize.Saving // of the answer, if Shown was to be shortened
	Late      bool             // the run was ended when it had answered
	Warnings  []string         // what else the caller should know of the answer
	Effects   Effects          // what is known of what the run changed
	Tries     int              // of the program itself, as far as it tells of them; 0: it tells of none
	Passing   bool             // the failure may pass, as the spec says of its class
	Blame     string           // whose failure that is: BlameCLI, BlameModel or BlameCall
	Failure   *lang.Failure    // nil: success
}

// maxKept bounds the part of the output that conditions over stdout see.
const maxKept = 64 << 10

// Turn is the call that a run was for, as far as its output depends on it.
type Turn struct {
	Mode      lang.Mode
	SessionID string // that was asked for, or given to a new conversation; "" for none
	Show      string // "answer", "record" or "events"
	Model     string // that was asked for; "" for none
}

// Decode reads what a run printed. The error is one of reading.
func (o *Output) Decode(run Run, turn Turn) (Answer, error) {
	d := decoder{out: o, turn: turn, folds: map[*take]*fold{}, gaps: map[*take]bool{}}
	run.Stdout, run.Stderr = &decodedReader{r: run.Stdout, e: o.newEncoding()}, o.decoded(run.Stderr)
	var err error
	switch o.spec.Output.Format {
	case "text":
		err = d.plain(run.Stdout, run.Size)
	case "json":
		err = d.json(run.Stdout)
	default:
		err = d.lines(run.Stdout, run.Size)
	}
	if err != nil {
		return Answer{}, err
	}
	d.readFile(run)
	return d.answer(run), nil
}

// decoder folds the records of an output as they come, so that an output of any
// length needs no more memory than its longest record and the answer.
type decoder struct {
	out     *Output
	turn    Turn
	folds   map[*take]*fold
	records int
	last    any    // last record
	end     any    // last record that ends the output, nil if none did
	endRaw  []byte // as it was printed
	finals  []final
	each    func(v any)    // takes the records, if it is there
	torn    bool           // the last line looks like a record and cannot be read
	lost    int            // lines that do
	gaps    map[*take]bool // for a text: one of them may belong to it
	raw     []byte         // last or ending record as it was printed
	whole   strings.Builder
	told    told                          // what the caller should know
	seen    seen                          // what says that there will be no answer
	changes bool                          // a record says that something may have been changed
	tries   int                           // records of tries
	ruledBy *failure                      // the rule that named the class
	file    fileFacts                     // what the file says that the program wrote beside
	counts  func(env map[string]any) bool // whether a record counts; nil: each does
	stray   bytes.Buffer                  // what was printed beside the records
}

// plain takes the output as it is.
func (d *decoder) plain(r io.Reader, size int64) error {
	d.whole.Grow(int(size))
	if _, err := io.Copy(&d.whole, r); err != nil {
		return err
	}
	return nil
}

// json finds the last object that begins at the start of a line, so that log lines
// before or behind it do no harm.
func (d *decoder) json(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if d.turn.Show == "events" {
		d.whole.Write(data)
	}
	data = text.WithoutControls(data)
	if d.values(data); d.records == 0 {
		d.stray.Reset()
		d.glued(data)
	}
	return nil
}

// values reads the objects that begin at the start of a line.
func (d *decoder) values(data []byte) {
	// What begins like a value and is none is read in vain, maybe to the end of the
	// output. Outputs made of nothing else must not take the square of their length.
	patience := 4*len(data) + maxKept
	for at := 0; at < len(data); {
		if c := data[at]; (c == '{' || c == '[') && patience > 0 {
			dec := json.NewDecoder(bytes.NewReader(data[at:]))
			var v any
			err := dec.Decode(&v)
			end := at + int(dec.InputOffset())
			var broken *json.SyntaxError
			switch found := objects(v); {
			case len(found) > 0:
				for _, record := range found {
					d.record(record, data[at:end])
				}
				at = end
			case errors.As(err, &broken):
				patience -= int(broken.Offset)
			default:
				patience -= len(data) - at
			}
		}
		next := bytes.IndexByte(data[at:], '\n')
		if next < 0 {
			d.strayLine(data[at:])
			break
		}
		d.strayLine(data[at : at+next])
		at += next + 1
	}
}

// objects are the records that a value holds: itself, or, because some CLIs print
// all their records as one array, its elements. Other values are no records.
func objects(v any) (found []any) {
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	for _, item := range items {
		if _, ok := item.(map[string]any); ok {
			found = append(found, item)
		}
	}
	return found
}

func (d *decoder) strayLine(line []byte) {
	line = bytes.TrimSpace(line)
	if len(line) > 0 {
		d.noteLines(string(line[:min(len(line), maxKept)]))
	}
	if len(line) > 0 && d.stray.Len() < maxKept {
		d.stray.Write(line[:min(len(line), maxKept)])
		d.stray.WriteByte('\n')
	}
}

// lines reads one record a line.
func (d *decoder) lines(r io.Reader, size int64) error {
	lines := lineReader{r: r, size: int(size)}
	for {
		line, err := lines.next()
		if d.turn.Show == "events" {
			d.whole.Write(line)
		}
		d.line(line)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// record offers one record to every extraction.
func (d *decoder) record(v any, raw []byte) {
	d.records++
	if d.each != nil {
		d.each(v)
		return
	}
	env := map[string]any{"event": v}
	if d.counts != nil && !d.counts(env) {
		return
	}
	out := d.out
	ends := out.end != nil && out.end.Holds(env)
	if ends && d.repeated(raw) {
		return
	}
	if d.turn.Show == "record" && (ends || d.end == nil) {
		if d.end == nil {
			d.raw = d.raw[:0]
		} else {
			d.raw = append(d.raw, '\n')
		}
		d.raw = append(d.raw, raw...)
	}
	d.last = v
	for _, t := range []*take{out.text, out.model, out.cost, out.error, out.id} {
		d.offer(t, env)
	}
	for _, t := range out.usage {
		d.offer(t, env)
	}
	d.offerStream(env)
	d.noteRecord(env, ends)
	d.noteTry(env)
	if ends {
		d.close(v, raw)
	}
}

// offerStream is offer for the text of the stream. Of that only the end can be an answer:
// what the program said before it used a tool is none.
func (d *decoder) offerStream(env map[string]any) {
	t := d.out.stream
	if t == nil || !t.when.Holds(env) {
		return
	}
	if t.fold == "last" {
		delete(d.folds, t)
	}
	d.offer(t, env)
}

func (d *decoder) offer(t *take, env map[string]any) {
	if t == nil || !t.when.Holds(env) {
		return
	}
	// A record that lacks the field has nothing to say; most records do.
	v, err := t.take.eval(env)
	if err != nil || v == nil || v == "" {
		return
	}
	f := d.folds[t]
	if f == nil {
		f = &fold{}
		d.folds[t] = f
	}
	d.noGap(t)
	f.add(t.fold, v)
}

// fold is what an extraction has collected so far.
type fold struct {
	value any
	text  *strings.Builder // concat
	sum   float64
}

func (f *fold) add(how string, v any) {
	switch how {
	case "first":
		if f.value == nil {
			f.value = v
		}
	case "concat":
		if f.text == nil {
			f.text = &strings.Builder{}
		}
		f.text.WriteString(asText(v))
	case "sum":
		if n, ok := asNumber(v); ok {
			f.sum += n
			f.value = f.sum
		}
	default:
		f.value = v
	}
}

func (d *decoder) taken(t *take) string {
	f := d.folds[t]
	switch {
	case t == nil || f == nil:
		return ""
	case f.text != nil:
		return f.text.String()
	}
	return asText(f.value)
}

func (d *decoder) number(t *take) (float64, bool) {
	if f := d.folds[t]; t != nil && f != nil {
		return asNumber(f.value)
	}
	return 0, false
}

// lineReader yields lines of any length, their end included.
type lineReader struct {
	r    io.Reader
	size int // of all there is to read, if known
	buf  []byte
	off  int // start of the first line not yet yielded
	eof  bool
}

// next returns the next line; the slice holds until the call after. The last line
// comes with io.EOF.
func (l *lineReader) next() ([]byte, error) {
	searched := l.off
	for {
		if i := bytes.IndexByte(l.buf[searched:], '\n'); i >= 0 {
			line := l.buf[l.off : searched+i+1]
			l.off = searched + i + 1
			return line, nil
		}
		if l.eof {
			line := l.buf[l.off:]
			l.off = len(l.buf)
			return line, io.EOF
		}
		searched = len(l.buf)
		if l.off > 0 {
			n := copy(l.buf, l.buf[l.off:])
			l.buf, l.off, searched = l.buf[:n], 0, n
		}
		if cap(l.buf)-len(l.buf) < 16<<10 {
			// A line of this length is likely to be most of the output: doubling on would
			// leave as much garbage behind as the output has bytes.
			want := max(64<<10, cap(l.buf)*2)
			if whole := l.size + 32<<10; cap(l.buf) >= 1<<20 && whole > cap(l.buf)+16<<10 {
				want = whole
			}
			grown := make([]byte, len(l.buf), want)
			copy(grown, l.buf)
			l.buf = grown
		}
		n, err := l.r.Read(l.buf[len(l.buf):cap(l.buf)])
		l.buf = l.buf[:len(l.buf)+n]
		if err == io.EOF {
			l.eof = true
		} else if err != nil {
			return nil, err
		}
	}
}
