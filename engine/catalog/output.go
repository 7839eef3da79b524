package catalog

import (
	"maps"
	"slices"
	"strconv"

	"github.com/expr-lang/expr"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// output is how the answer is read, compiled.
type output struct {
	end   *expression
	text  *take
	model *take
	cost  *take
	error *take
	id    *take
	usage map[string]*take

	progress []*progressRule
}

// take is an extraction over the records of an output.
type take struct {
	when *expression // nil: every record
	take *expression
	fold string
}

var asBool = expr.AsBool()

// Names of the token counts of a call.
const (
	UsageInput      = "inputTokens"
	UsageOutput     = "outputTokens"
	UsageCacheRead  = "cacheReadTokens"
	UsageCacheWrite = "cacheWriteTokens"
	UsageReasoning  = "reasoningTokens"
)

// output compiles the extractions.
func (c compiler) output(ps lang.Problems) {
	o := c.cli.Output
	format := o.Format
	if format == "" {
		format = "text"
		c.cli.Output.Format = format
	}
	if o.End != "" && format != "jsonl" {
		ps.At("end").Add("shape", `end needs format "jsonl"`).Key = true
	}
	c.cli.out = output{
		end:   c.expression(&expression{src: o.End, scope: recordScope, want: asBool}, ps.At("end")),
		text:  c.take(o.Text, format, ps.At("text")),
		model: c.take(o.Model, format, ps.At("model")),
		cost:  c.take(o.Cost, format, ps.At("cost")),
		error: c.take(o.Error, format, ps.At("error")),
		id:    c.take(c.cli.Session.Capture, format, ps.Siblings("session", "capture")),
		usage: map[string]*take{},
	}
	if format != "text" && o.Text.Take == "" {
		ps.Add("text", "format %q needs text: where the answer stands", format).Key = true
	}
	for _, u := range []struct {
		key, name string
		spec      lang.TakeSpec
	}{
		{"input", UsageInput, o.Usage.Input}, {"output", UsageOutput, o.Usage.Output},
		{"cacheRead", UsageCacheRead, o.Usage.CacheRead}, {"cacheWrite", UsageCacheWrite, o.Usage.CacheWrite},
		{"reasoning", UsageReasoning, o.Usage.Reasoning},
	} {
		if t := c.take(u.spec, format, ps.At("usage", u.key)); t != nil {
			c.cli.out.usage[u.name] = t
		}
	}
	c.progress(format, ps.At("progress"))
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
	t.when = c.expression(&expression{src: spec.When, scope: recordScope, want: asBool}, ps.At("when"))
	t.take = c.expression(&expression{src: spec.Take, scope: recordScope}, at)
	if t.fold == "" {
		t.fold = "last"
	}
	return t
}

// verdicts compiles what says whether a finished run was a success, and if not,
// of which class its failure is.
func (c compiler) verdicts(ps lang.Problems) {
	cli := c.cli
	cli.success = c.expression(&expression{src: cli.Success, scope: endScope, want: asBool}, ps.At("success"))
	for _, code := range slices.Sorted(maps.Keys(cli.Exits)) {
		if n, err := strconv.Atoi(code); err != nil || n > 255 || strconv.Itoa(n) != code {
			ps.At("exits", code).Add("exit", "no program ends with exit code %q", code).Key = true
		}
	}
	for i, f := range cli.Failure {
		at := ps.At("failure", i)
		cli.failure = append(cli.failure, failure{
			FailureSpec: f,
			when:        c.expression(&expression{src: f.When, scope: endScope, want: asBool}, at.At("when")),
			afterMs:     c.expression(&expression{src: f.Retry.AfterMs, scope: endScope}, at.At("retry", "afterMs")),
		})
	}
}
