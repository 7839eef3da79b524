package extract

import (
	"maps"
	"slices"
	"strconv"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Output is how the answer of a CLI is read, compiled.
type Output struct {
	spec *lang.CLISpec
	name string // of the CLI, for people
	cli  string // its name in the specs

	end    *Expression
	text   *take
	stream *take // where the text stands if text finds none
	model  *take
	cost   *take
	error  *take
	id     *take
	usage  map[string]*take

	busy     *Expression // whether the program will go on by itself
	progress []*progressRule
	warnings []*warning
	watch    []*watchRule
	file     *fileOutput // what else the program writes, nil for nothing
	success  *Expression
	failure  []failure

	effects *Expression // of records that tell of a change
	tries   *Expression // of those that tell of a try
}

// failure is a rule that names the class of a failed run.
type failure struct {
	lang.FailureSpec
	when    *Expression
	afterMs *Expression
}

// take is an extraction over the records of an output.
type take struct {
	when *Expression // nil: every record
	take *Expression
	fold string
}

// Names of the token counts of a call.
const (
	UsageInput      = "inputTokens"
	UsageOutput     = "outputTokens"
	UsageCacheRead  = "cacheReadTokens"
	UsageCacheWrite = "cacheWriteTokens"
	UsageReasoning  = "reasoningTokens"
)

// Compile compiles what the spec of a CLI, which people know by the name, says of its
// output: sections output, session.capture, success, exits and failure. Its output has a
// format. Expressions that were vetted are left to their first use. The spec is kept.
func Compile(spec *lang.CLISpec, cli, name string, vetted bool, ps lang.Problems) *Output {
	c := compiler{vetted: vetted, out: &Output{spec: spec, name: name, cli: cli}}
	c.output(spec, ps.At("output"))
	c.verdicts(spec, ps)
	return c.out
}

// compiler collects the problems of one output.
type compiler struct {
	out    *Output
	vetted bool
}

func (c compiler) condition(src string, scope Scope, ps lang.Problems) *Expression {
	return Condition(src, scope, c.vetted, ps)
}

func (c compiler) value(src string, scope Scope, ps lang.Problems) *Expression {
	return value(src, scope, c.vetted, ps)
}

// output compiles the extractions.
func (c compiler) output(spec *lang.CLISpec, ps lang.Problems) {
	o := spec.Output
	format := o.Format
	if o.End != "" && format != "jsonl" {
		ps.At("end").Add("shape", `end needs format "jsonl"`).Key = true
	}
	out := c.out
	for _, late := range []struct {
		key   string
		given bool
	}{{"settleMs", o.SettleMs != nil}, {"busy", o.Busy != ""}} {
		if late.given && o.End == "" {
			ps.At(late.key).Add("shape", "%s needs end: the record after which it counts", late.key).Key = true
		}
	}
	out.end = c.condition(o.End, recordScope, ps.At("end"))
	out.busy = c.value(o.Busy, recordScope, ps.At("busy"))
	out.text = c.take(o.Text, format, ps.At("text"))
	out.stream = c.take(o.Stream, format, ps.At("stream"))
	out.model = c.take(o.Model, format, ps.At("model"))
	out.cost = c.take(o.Cost, format, ps.At("cost"))
	out.error = c.take(o.Error, format, ps.At("error"))
	out.id = c.take(spec.Session.Capture, format, ps.Siblings("session", "capture"))
	out.file = c.file(o.File, ps.At("file"))
	if format != "text" && o.Text.Take == "" && !out.file.answers() {
		ps.Add("text", "format %q needs text, which extracts the answer", format).Key = true
	}
	out.usage = c.usage(o.Usage, format, ps.At("usage"))
	c.progress(o.Progress, format, ps.At("progress"))
	c.warnings(o.Warnings, format, ps.At("warnings"))
	c.watch(o.Watch, format, ps.At("watch"))
	for _, e := range []struct {
		key, src string
		into     **Expression
	}{{"effects", o.Effects, &out.effects}, {"tries", o.Tries, &out.tries}} {
		if e.src != "" && format == "text" {
			ps.At(e.key).Add("shape", `format "text" has no records`).Hint = `set output.format to "json" or "jsonl"`
		} else {
			*e.into = c.condition(e.src, recordScope, ps.At(e.key))
		}
	}
}

// usage compiles the extractions of token counts.
func (c compiler) usage(spec lang.UsageSpec, format string, ps lang.Problems) map[string]*take {
	takes := map[string]*take{}
	for _, u := range []struct {
		key, name string
		spec      lang.TakeSpec
	}{
		{"input", UsageInput, spec.Input}, {"output", UsageOutput, spec.Output},
		{"cacheRead", UsageCacheRead, spec.CacheRead}, {"cacheWrite", UsageCacheWrite, spec.CacheWrite},
		{"reasoning", UsageReasoning, spec.Reasoning},
	} {
		if t := c.take(u.spec, format, ps.At(u.key)); t != nil {
			takes[u.name] = t
		}
	}
	return takes
}

func (c compiler) take(spec lang.TakeSpec, format string, ps lang.Problems) *take {
	if spec.Take == "" {
		return nil
	}
	if format == "text" {
		ps.Add("shape", `format "text" has no records to take from`).Hint = `set output.format to "json" or "jsonl"`
		return nil
	}
	at := ps
	if spec.When != "" || spec.Fold != "" {
		at = ps.At("take")
	}
	t := &take{fold: spec.Fold}
	t.when = c.condition(spec.When, recordScope, ps.At("when"))
	t.take = c.value(spec.Take, recordScope, at)
	if t.fold == "" {
		t.fold = "last"
	}
	return t
}

// verdicts compiles what says whether a finished run was a success, and if not,
// of which class its failure is.
func (c compiler) verdicts(spec *lang.CLISpec, ps lang.Problems) {
	c.out.success = c.condition(spec.Success, endScope, ps.At("success"))
	for _, code := range slices.Sorted(maps.Keys(spec.Exits)) {
		if n, err := strconv.Atoi(code); err != nil || n > 255 || strconv.Itoa(n) != code {
			ps.At("exits", code).Add("exit", "no program has the exit code %q", code).Key = true
		}
	}
	for i, f := range spec.Failure {
		at := ps.At("failure", i)
		c.out.failure = append(c.out.failure, failure{
			FailureSpec: f,
			when:        c.condition(f.When, endScope, at.At("when")),
			afterMs:     c.value(f.Retry.AfterMs, endScope, at.At("retry", "afterMs")),
		})
	}
}
