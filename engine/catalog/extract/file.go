package extract

import (
	"io"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// File is a file that a program wrote beside what it printed.
type File struct {
	Text io.ReadCloser // whoever is given it closes it
	Size int64         // in bytes
	Cut  bool          // only its end is there, from the beginning of a line on
}

// fileOutput is how such a file is read, compiled.
type fileOutput struct {
	*Output // its extractions
	spec    lang.OutputFileSpec
	time    *Expression // of a record; nil: all of the file is of the run
}

// answers reports whether the answer of a call stands in the file.
func (f *fileOutput) answers() bool {
	return f != nil && (f.text != nil || f.Output.spec.Output.Format == "text")
}

// file compiles what the spec says of a file; nil if it says nothing.
func (c compiler) file(spec lang.OutputFileSpec, ps lang.Problems) *fileOutput {
	if spec.IsZero() {
		return nil
	}
	format := spec.Format
	if format == "" {
		format = "text"
	}
	c.checkFile(spec, format, ps)
	out := &Output{spec: &lang.CLISpec{Output: lang.OutputSpec{Format: format}}, name: c.out.name, cli: c.out.cli}
	out.text = c.take(spec.Text, format, ps.At("text"))
	out.model = c.take(spec.Model, format, ps.At("model"))
	out.cost = c.take(spec.Cost, format, ps.At("cost"))
	out.usage = c.usage(spec.Usage, format, ps.At("usage"))
	return &fileOutput{Output: out, spec: spec, time: c.value(spec.Time, recordScope, ps.At("time"))}
}

// checkFile checks what a spec says of a file against itself.
func (c compiler) checkFile(spec lang.OutputFileSpec, format string, ps lang.Problems) {
	switch {
	case (spec.Name == "") == (spec.Path == ""):
		ps.Add("shape", "needs either a name or a path").Key = true
	case spec.Path != "" && !strings.Contains(spec.Path, slotConversation):
		ps.At("path").Add("slot", "%s is not used", slotConversation).Hint = "without it the file may be that of another conversation"
	case spec.Path != "" && format == "text":
		ps.Add("shape", `format "text" is for a private file, all of which is the answer`).Hint = `set format to "json" or "jsonl"`
	case spec.Path != "" && spec.Text.Take != "" && spec.Time == "":
		ps.At("text").Add("shape", "text of a file of the conversation needs time: the answers of earlier turns are in it too").Key = true
	case spec.Path != "" && (spec.Words != nil || spec.Env != ""):
		ps.At("path").Add("shape", "words and env are for a private file, which has a name").Key = true
	case spec.Time != "" && format == "text":
		ps.At("time").Add("shape", `format "text" has no records`).Key = true
	}
}

// slotConversation stands in a path for the program's id of the conversation.
const slotConversation = "{session}"

// fileFacts is what a file says.
type fileFacts struct {
	text, model string
	figures     Answer // usage and cost alone
	wrong       string // why it says nothing; "" if it was read, or nobody looked
}

// readFile reads the file that the program wrote beside.
func (d *decoder) readFile(run Run) {
	f := d.out.file
	if f == nil || run.File == nil {
		return
	}
	id := d.taken(d.out.id)
	if id == "" {
		id = d.turn.SessionID
	}
	opened, err := run.File(id)
	if err == nil && opened.Text != nil {
		d.file, err = f.read(opened, run)
		opened.Text.Close()
	}
	if err != nil {
		d.file = fileFacts{wrong: err.Error()}
	}
}

// read takes from a file what it says of a run.
func (f *fileOutput) read(file File, run Run) (fileFacts, error) {
	out := *f.Output
	if file.Cut {
		out.onlyLast()
	}
	d := decoder{out: &out, folds: map[*take]*fold{}, gaps: map[*take]bool{}}
	if f.time != nil {
		d.counts = func(env map[string]any) bool { return f.during(run, env) }
	}
	r := &decodedReader{r: file.Text, e: out.newEncoding()}
	var err error
	facts := fileFacts{}
	switch out.spec.Output.Format {
	case "text":
		err = d.plain(r, file.Size)
		facts.text = strings.TrimSpace(text.Screen(d.whole.String()))
	case "json":
		err = d.json(r)
	default:
		err = d.lines(r, file.Size)
	}
	if err != nil {
		return fileFacts{}, err
	}
	if out.text != nil {
		facts.text = d.taken(out.text)
	}
	facts.model, facts.figures.Usage = d.taken(out.model), map[string]int64{}
	d.figures(&facts.figures)
	return facts, nil
}

// onlyLast leaves out what depends on a part of the file that is not there.
func (o *Output) onlyLast() {
	last := func(t *take) *take {
		if t == nil || t.fold != "last" {
			return nil
		}
		return t
	}
	o.text, o.model, o.cost = last(o.text), last(o.model), last(o.cost)
	usage := map[string]*take{}
	for name, t := range o.usage {
		if t = last(t); t != nil {
			usage[name] = t
		}
	}
	o.usage = usage
}

// during reports whether a record was written while the run took place.
func (f *fileOutput) during(run Run, env map[string]any) bool {
	if run.Began.IsZero() { // an example: all of its file is of the run
		return true
	}
	v, err := f.time.eval(env)
	if err != nil {
		return false
	}
	var at time.Time
	if ms, ok := asNumber(v); ok {
		at = time.UnixMilli(int64(ms))
	} else if at, err = time.Parse(time.RFC3339, asText(v)); err != nil {
		return false
	}
	return !at.Before(run.Began.Truncate(precision(at))) && !at.After(run.now())
}

// precision is that of the clock by which a time seems to have been written.
func precision(at time.Time) time.Duration {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if at.Truncate(unit).Equal(at) {
			return unit
		}
	}
	return time.Nanosecond
}

// answerOfFile puts the text of the file in place of the last answer.
func (d *decoder) answerOfFile() {
	if d.file.text == "" || len(d.finals) == 0 {
		return
	}
	at := len(d.finals) - 1
	for i := at; i >= 0; i-- {
		if d.finals[i].error == "" {
			at = i
			break
		}
	}
	d.finals[at].text, d.finals[at].gap = d.file.text, false
}

// fileFigures puts what the file counts in place of what was printed.
func (d *decoder) fileFigures(a *Answer) {
	f, scope, costScope := d.file, "", ""
	if d.out.file != nil && d.turn.Mode != lang.New {
		scope, costScope = cumulative(d.out.file.spec.Usage.Scope), cumulative(d.out.file.spec.CostScope)
	}
	if f.model != "" {
		a.Model = f.model
	}
	if len(f.figures.Usage) > 0 {
		a.Usage, a.Scope = f.figures.Usage, scope
	}
	if f.figures.CostUSD != nil {
		a.CostUSD, a.CostScope = f.figures.CostUSD, costScope
	}
}

// fileNotes are the warnings about the file. A program that failed may not have come so far
// as to write it.
func (d *decoder) fileNotes(a *Answer) (notes []string) {
	if d.file.wrong == "" || a.Failure != nil && !d.out.file.answers() {
		return nil
	}
	return []string{d.out.file.holds() + " may be missing: the file that " + d.out.name + " writes " + d.file.wrong}
}

// holds says what is read from the file.
func (f *fileOutput) holds() string {
	var what []string
	for _, part := range []struct {
		name string
		has  bool
	}{{"the answer", f.answers()}, {"the model", f.model != nil}, {"the tokens", len(f.usage) > 0}, {"the cost", f.cost != nil}} {
		if part.has {
			what = append(what, part.name)
		}
	}
	return text.Or(what)
}
