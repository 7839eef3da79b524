package extract

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// answer puts together what the records said, and whether the run was a success.
func (d *decoder) answer(run Run) Answer {
	out := d.out
	a := Answer{SessionID: d.taken(out.id), Model: d.taken(out.model), Usage: map[string]int64{}}
	asked := run
	if d.noteLines(run.Stderr); d.out.spec.Output.Format == "text" {
		whole := d.whole.String()
		d.noteLines(whole[max(0, len(whole)-maxKept):])
	}
	run, a.Late = d.late(asked)
	v := d.verdict(run)
	a.Text = v.text
	d.figures(&a)
	if d.turn.Mode != lang.New {
		a.Scope, a.CostScope = cumulative(d.out.spec.Output.Usage.Scope), cumulative(d.out.spec.Output.CostScope)
	}
	d.fileFigures(&a)
	a.Shown = a.Text
	switch d.turn.Show {
	case "record":
		if d.raw != nil {
			a.Shown = string(d.raw)
		}
	case "events":
		a.Shown = d.whole.String()
	}
	a.Failure = d.failure(run, v)
	a.Effects, a.Tries = d.effects(run), d.tried()
	// The last record of a program that was ended may only say that it was.
	if f := a.Failure; a.Late && f != nil && (f.Class == lang.ClassEmpty || asked.Ended == lang.ClassCanceled) {
		a.Late, a.Failure = false, d.failure(asked, v)
	}
	a.Passing, a.Blame = d.passing(a.Failure, d.ruledBy)
	a.Warnings = slices.Concat(v.notes, d.notes(), d.besides(&a))
	if a.Late {
		a.Warnings = append(a.Warnings, out.name+" did not exit by itself after its answer, and was ended")
	}
	// A run that failed before it told an id may not have begun the conversation.
	if a.SessionID == "" && a.Failure == nil {
		a.SessionID = d.turn.SessionID
	}
	return a
}

// figures takes what the records count.
func (d *decoder) figures(a *Answer) {
	for name, t := range d.out.usage {
		if n, ok := d.number(t); ok && n >= 0 && n < math.MaxInt64 {
			a.Usage[name] = int64(n)
		}
	}
	if cost, ok := d.number(d.out.cost); ok && cost >= 0 && !math.IsInf(cost, 0) {
		a.CostUSD = &cost
	}
}

// late reports whether a run was ended after the record that ends its output. By then it had
// done what it was asked for: it is as good as one that had ended by itself.
func (d *decoder) late(run Run) (Run, bool) {
	switch run.Ended {
	case lang.ClassTimeout, lang.ClassIdle, lang.ClassCanceled, EndedByWatch:
		if d.end != nil {
			run.Ended, run.Exit, run.Signal = "", 0, ""
			return run, true
		}
	}
	return run, false
}

// cumulative keeps a scope that is worth telling.
func cumulative(scope string) string {
	if scope == "session" {
		return scope
	}
	return ""
}

// verdict is what decides about a run.
type verdict struct {
	final
	exit   int
	stdout string // without the records
	ended  bool   // the output came to its end
	want   string // conversation that was asked for, and that it was
	got    string
	notes  []string
}

// verdict collects what decides about the run.
func (d *decoder) verdict(run Run) *verdict {
	v := &verdict{stdout: d.stray.String(), got: d.taken(d.out.id), ended: d.end != nil || d.out.end == nil && !d.torn}
	if d.turn.Mode == lang.Resume {
		v.want = d.turn.SessionID
	}
	if d.out.spec.Output.Format == "text" {
		v.stdout = d.whole.String()
		v.text, v.exit = strings.TrimSpace(text.Screen(v.stdout)), run.Exit
		if d.out.file.answers() {
			v.text = d.file.text
		}
		v.stdout = text.Screen(v.stdout[max(0, len(v.stdout)-maxKept):])
		return v
	}
	d.answerOfFile()
	v.final, v.exit, v.notes = d.conclude(run.Exit, func(f final, exit int) bool { return d.good(v, run, f, exit) })
	return v
}

// scope is what conditions over a finished run see.
func (d *decoder) scope(v *verdict, run Run, f final, exit int) map[string]any {
	return map[string]any{
		"exit": exit, "signal": run.Signal, "stdout": v.stdout, "stderr": run.Stderr,
		"text": f.text, "error": f.error, "ended": v.ended, "mode": string(d.turn.Mode),
		"event": f.end, "now": int(run.now().UnixMilli()), "session": map[string]any{"want": v.want, "got": v.got},
	}
}

// strange reports whether the program answered in another conversation than was asked for.
func (v *verdict) strange() bool { return v.want != "" && v.got != "" && v.got != v.want }

// good reports whether a final record, with an exit code of the program, is a success. Exit
// code 0 alone proves nothing: the output must have come to its end, hold an answer and no
// error, and belong to the conversation that was asked for.
func (d *decoder) good(v *verdict, run Run, f final, exit int) bool {
	if d.out.success != nil {
		return d.out.success.Holds(d.scope(v, run, f, exit))
	}
	return exit == 0 && v.ended && strings.TrimSpace(f.text) != "" && f.error == "" && !v.strange()
}

// failure decides whether the run was a success, and if not, of which class it is.
func (d *decoder) failure(run Run, v *verdict) *lang.Failure {
	if run.Ended == "" && !run.Cut && d.good(v, run, v.final, v.exit) {
		if v.gap {
			return d.unreadable()
		}
		return nil
	}
	f := &lang.Failure{Message: v.error}
	d.ruledBy = nil
	switch {
	case d.seen.rule != nil && (run.Ended == "" || run.Ended == EndedByWatch):
		d.seen.failure(f, d.out.name, run.Ended != "")
	case run.Ended == EndedByWatch: // by a rule that is gone
		f.Class = lang.ClassError
	case run.Ended != "":
		f.Class = run.Ended
	case d.ruled(f, d.scope(v, run, v.final, v.exit)):
	case d.records == 0 && run.Exit != 0 && refusesWords.MatchString(run.Stderr):
		f.Class, f.Hint = lang.ClassOutdated, fmt.Sprintf("its options may have changed since its spec was written: run `gateway vet --probe %s`", d.out.cli)
	case d.out.spec.Exits[strconv.Itoa(run.Exit)] != "":
		f.Class = d.out.spec.Exits[strconv.Itoa(run.Exit)]
	case run.Exit != 0:
		f.Class = lang.ClassError
	case run.Cut:
		f.Class = lang.ClassOutputCap
	case d.out.spec.Output.Format != "text" && d.records == 0 && strings.TrimSpace(v.stdout) != "":
		f.Class = lang.ClassUnparsable
	case !v.ended:
		f.Class = lang.ClassIncomplete
	case v.strange():
		f.Class = lang.ClassSession
		f.Message = fmt.Sprintf("asked to continue conversation %s, but %s answered in %s", v.want, d.out.name, v.got)
	case strings.TrimSpace(v.text) == "":
		f.Class = lang.ClassEmpty
	default:
		f.Class = lang.ClassError
	}
	d.explain(f, run, v.stdout)
	// What was answered was paid.
	f.Retryable = f.Retryable && (d.end == nil || v.error != "" || strings.TrimSpace(v.text) == "")
	return f
}

// unreadable is the failure of a run whose answer may lack a part.
func (d *decoder) unreadable() *lang.Failure {
	return &lang.Failure{
		Class:   lang.ClassIncomplete,
		Message: d.lostLines() + " could not be read in what " + d.out.name + " printed: it may have been part of the answer",
		Hint:    "read the partial answer and its stdout; the same call would be paid again",
	}
}

// ruled finds the rule for a failure. What the program recorded of it goes before words on
// its standard error, which others write as well.
func (d *decoder) ruled(f *lang.Failure, env map[string]any) bool {
	if env["error"] != "" {
		quiet := maps.Clone(env)
		quiet["stderr"] = ""
		if d.rule(f, quiet) {
			return true
		}
	}
	return d.rule(f, env)
}

// text is the answer that the records hold.
func (d *decoder) text() string {
	if d.fromStream() {
		return strings.TrimSpace(d.taken(d.out.stream))
	}
	return d.taken(d.out.text)
}

// fromStream reports whether the answer is the text of the stream, because the field that
// should have it is blank. Of a run that failed the stream repeats the error.
func (d *decoder) fromStream() bool {
	return strings.TrimSpace(d.taken(d.out.text)) == "" && d.taken(d.out.error) == "" && d.taken(d.out.stream) != ""
}

// rule takes class, hint and retry from the first failure rule that holds.
func (d *decoder) rule(f *lang.Failure, env map[string]any) bool {
	for i := range d.out.failure {
		r := &d.out.failure[i]
		if !r.when.Holds(env) {
			continue
		}
		d.ruledBy = r
		f.Class, f.Hint, f.Retryable = r.Class, r.Hint, r.Retry.Yes
		if r.afterMs != nil {
			if v, err := r.afterMs.eval(env); err == nil {
				if ms, ok := asNumber(v); ok && ms > 0 && ms < math.MaxInt64 {
					f.RetryAfterMs = int64(ms)
				}
			}
		}
		return true
	}
	return false
}

// explain fills in the message and the hint that the spec did not give.
func (d *decoder) explain(f *lang.Failure, run Run, stdout string) {
	if f.Message == "" {
		f.Message = d.complaint(f.Class, run, stdout)
	}
	if f.Hint == "" {
		f.Hint = hints[f.Class]
	}
	if f.Class == lang.ClassSession && d.out.spec.Session.Scope == "cwd" && d.turn.Mode != lang.New {
		f.Hint += fmt.Sprintf("; a conversation of %s continues only in the directory in which it started", d.out.name)
	}
	switch f.Class {
	case lang.ClassTimeout, lang.ClassIdle, lang.ClassEmpty, lang.ClassIncomplete:
		f.Retryable = true
	}
}

// complaint is the message of a run that left none in its output.
func (d *decoder) complaint(class string, run Run, stdout string) string {
	name := d.out.name
	said, other := run.Stderr, stdout
	if d.out.spec.Output.Format != "text" && d.records == 0 { // plain text instead of records
		said, other = stdout, run.Stderr
	}
	tail := lastLines(said, 6)
	if tail == "" {
		tail = lastLines(other, 6)
	}
	last := ""
	if tail != "" {
		last = "; its last output: " + tail
	}
	switch class {
	case lang.ClassCanceled:
		return "the call was canceled"
	case lang.ClassTimeout:
		return name + " was ended: it exceeded its total time" + last
	case lang.ClassIdle:
		return name + " was ended: it printed nothing for too long" + last
	case lang.ClassOutputCap:
		return name + " printed more than the output cap allows; the middle is missing"
	case lang.ClassDisk:
		return "the output of " + name + " could not be kept: the disk is full"
	case lang.ClassLost:
		return name + " was ended together with its supervisor; its output up to then is kept" + last
	case lang.ClassIncomplete:
		return name + " ended without the record that completes its output"
	}
	what := fmt.Sprintf("%s ended with exit code %d", name, run.Exit)
	switch {
	case run.Signal != "":
		what = fmt.Sprintf("%s was ended by signal %s", name, run.Signal)
	case class == lang.ClassEmpty:
		what = name + " gave no answer"
	case class == lang.ClassUnparsable:
		what = name + " printed no record that can be read"
	}
	if tail == "" {
		return what
	}
	return what + ": " + tail
}

var hints = map[string]string{
	lang.ClassTimeout:    "raise timeoutMs, or ask for less in one call",
	lang.ClassIdle:       "raise idleTimeoutMs, or ask for less in one call",
	lang.ClassOutputCap:  "ask for a shorter answer, or raise gateway.outputCap",
	lang.ClassEmpty:      "try again, or ask differently",
	lang.ClassIncomplete: "try again; if it happens again, run the command that `gateway explain` prints by hand",
	lang.ClassUnparsable: "run the command that `gateway explain` prints by hand: the CLI may have changed its output format",
	lang.ClassDisk:       "free disk space where the gateway keeps its state, then try again",
	lang.ClassLost:       "read the partial output, and check what was done before asking again",
	lang.ClassSession:    "omit sessionId to start a new conversation",
}

var (
	// A program says so of a word on its command line, which its spec has put there.
	refusesWords = regexp.MustCompile(`(?im)^\W*(error: *)?(unknown|unexpected|unrecognized|invalid|no such) (options?|arguments?|flags?|switch|command)\b`)
	complains    = regexp.MustCompile(`(?i)^\W*(error|fatal|panic)\b`)
)

// lastLines keeps the last n lines, at most 2,000 bytes, without colours. Programs
// put a page of help behind the line that says what is wrong: that line is kept
// instead of one of the last.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(text.Screen(s)), "\n")
	if cut := len(lines) - n; cut > 0 {
		first := slices.IndexFunc(lines[:cut], complains.MatchString)
		if first >= 0 {
			lines[cut] = lines[first]
		}
		lines = lines[cut:]
	}
	out := strings.TrimSpace(strings.Join(lines, "\n"))
	if len(out) > 2000 {
		out = "…" + strings.ToValidUTF8(out[len(out)-2000:], "")
	}
	return out
}
