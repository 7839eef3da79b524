package author

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/check"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Recorded is what is known of a call that was made.
type Recorded struct {
	Mode      lang.Mode
	SessionID string // the conversation that was asked for
	Prompt    string
	Arguments map[string]any // as Call.Arguments gave them, out of JSON
	Servers   []string       // MCP servers that were asked for; nil if none were in question
	Version   string         // of the program; "" for the newest
	Access    *access.Access // what it might do; nil if that is not recorded
	Argv      []string
	Clean     func(string) string // takes secrets out, as it has of all texts here
	Printed   bool                // the output is known, and the program ended by itself
	Stdout    string
	Stderr    string
	Exit      int
}

// Bounds of what an example takes over.
const (
	maxExamplePrompt = 1000     // characters
	maxExampleOutput = 64 << 10 // bytes, of what is left
	maxReduced       = 1 << 20  // bytes that are looked at in order to reduce them
)

// ofLevel reports whether a value is what the level of the call gives to the parameter.
func ofLevel(cli *catalog.CLI, r Recorded, name string, v any) bool {
	if r.Access == nil {
		return false
	}
	given, ok := cli.LevelValues(r.Access.Words).Get(name)
	return ok && reflect.DeepEqual(plainly(given), plainly(v))
}

// Example makes an example of a call that was made. The notes say what of the call it
// does not show, and what vet would have against it.
func Example(c *catalog.Catalog, cli *catalog.CLI, r Recorded) (ex lang.ExampleSpec, notes []string) {
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	ex = lang.ExampleSpec{Version: r.Version, In: map[string]any{catalog.ParamPrompt: r.Prompt}, Mode: r.Mode}
	if short := text.Shorten(r.Prompt, maxExamplePrompt); short != r.Prompt {
		ex.In[catalog.ParamPrompt] = short
		note("the prompt has lost its end")
	}
	for name, v := range r.Arguments {
		if p, ok := cli.Param(name); ok && !reflect.DeepEqual(plainly(p.Preset()), plainly(v)) && !ofLevel(cli, r, name, v) {
			ex.In[name] = v
		}
	}
	switch {
	case r.Mode == lang.Resume:
		ex.In[catalog.ParamSessionID] = r.SessionID
	case r.Mode == lang.Latest:
		ex.In[catalog.ParamResumeLatest] = true
	}
	if r.Servers != nil {
		ex.In[catalog.ParamMCPServers] = r.Servers
	}
	call, violations := check.BindExample(c, cli, ex)
	if violations != nil {
		note("the spec refuses this call now: %s", strings.ReplaceAll(violations.Error(), "\n", "; "))
		return ex, notes
	}
	cmd, _ := call.Command(catalog.Anywhere)
	ex.Argv = cmd.Args
	if ex.Argv == nil {
		ex.Argv = []string{}
	}
	if r.Servers == nil && len(notes) == 0 && len(cmd.Files) == 0 {
		now := make([]string, len(cmd.Args))
		for i, word := range cmd.Args {
			now[i] = r.Clean(word)
		}
		if made := created(r, now); !slices.Equal(made, now) {
			ex.Argv = made
			note("the spec has changed since the call: vet will say at which word")
		}
	}
	ex.Stdin = cmd.Stdin
	for _, hit := range c.Risks(call) {
		ex.Risk = append(ex.Risk, hit.ID)
	}
	if ex.Risk != nil {
		ex.Verdict = check.Verdicts(c, call)
	}
	switch {
	case !r.Printed:
		note("it has no output: that is gone, or the program did not end by itself")
	case len(r.Stdout)+len(r.Stderr) > maxReduced:
		note("it has no output: there are %d bytes of it, and at most %d are reduced", len(r.Stdout)+len(r.Stderr), maxReduced)
	default:
		if !addOutput(&ex, call, r) {
			note("it has no output: even reduced there are more than %d bytes of it", maxExampleOutput)
		}
	}
	return ex, notes
}

// created are the words of the record with the id that was made for the call as {id},
// where the spec writes one.
func created(r Recorded, now []string) []string {
	if r.Mode != lang.New || r.SessionID == "" {
		return r.Argv
	}
	out := slices.Clone(r.Argv)
	for i, word := range out {
		if i < len(now) && strings.Contains(now[i], "{id}") {
			out[i] = strings.ReplaceAll(word, r.SessionID, "{id}")
		}
	}
	return out
}

// plainly is a value as it comes out of JSON.
func plainly(v any) any {
	var out any
	if json.Unmarshal(text.MustJSON(v), &out) != nil {
		return v
	}
	return out
}

// addOutput takes over the part of the output that matters, and what it decodes to.
func addOutput(ex *lang.ExampleSpec, call *catalog.Call, r Recorded) bool {
	want, ok := decoded(call, r)
	if !ok {
		return false
	}
	same := func(stdout, stderr string) bool {
		tried := r
		tried.Stdout, tried.Stderr = stdout, stderr
		got, ok := decoded(call, tried)
		return ok && reflect.DeepEqual(got, want)
	}
	stdout, stderr := r.Stdout, r.Stderr
	if same(stdout, "") {
		stderr = ""
	}
	stderr = strings.Join(fewer(strings.SplitAfter(stderr, "\n"), func(lines []string) bool { return same(stdout, strings.Join(lines, "")) }), "")
	if call.CLI.Output.Format != "text" {
		lines := fewer(strings.SplitAfter(stdout, "\n"), func(lines []string) bool { return same(strings.Join(lines, ""), stderr) })
		for i, line := range lines {
			lines[i] = leaner(line, func(s string) bool {
				tried := slices.Clone(lines)
				tried[i] = s
				return same(strings.Join(tried, ""), stderr)
			})
		}
		stdout = strings.Join(lines, "")
	}
	if len(stdout)+len(stderr) > maxExampleOutput {
		return false
	}
	for _, text := range []*string{&stdout, &stderr} {
		whole := *text
		if *text = strings.TrimRight(whole, "\n"); !same(stdout, stderr) {
			*text = whole
		}
	}
	ex.Stdout, ex.Stderr, ex.Exit, ex.Out = stdout, stderr, r.Exit, &want
	return true
}

// decoded is what an output comes to, as an example says it.
func decoded(call *catalog.Call, r Recorded) (lang.ExampleOut, bool) {
	answer, err := call.Decode(extract.Run{Stdout: strings.NewReader(r.Stdout), Stderr: r.Stderr, Exit: r.Exit})
	if err != nil {
		return lang.ExampleOut{}, false
	}
	out := lang.ExampleOut{Text: &answer.Text, Class: new(""), Usage: answer.Usage, Cost: answer.CostUSD}
	if answer.SessionID != "" && answer.SessionID != "{id}" {
		out.Session = &answer.SessionID
	}
	if answer.Model != "" {
		out.Model = &answer.Model
	}
	if len(out.Usage) == 0 {
		out.Usage = nil
	}
	if answer.Failure != nil {
		out.Class, out.Error = &answer.Failure.Class, &answer.Failure.Message
	}
	return out, true
}

// fewer leaves out what can be left out of a list, in ever smaller pieces.
func fewer(list []string, enough func([]string) bool) []string {
	const patience = 2000 // trials; what is still too long then stays
	trials := 0
	for size := (len(list) + 1) / 2; size > 0; size /= 2 {
		for at := 0; at < len(list) && trials < patience; {
			tried := slices.Concat(list[:at], list[min(at+size, len(list)):])
			if trials++; enough(tried) {
				list = tried
			} else {
				at += size
			}
		}
		if size > 1 {
			size++ // rounded up
		}
	}
	return list
}

// leaner leaves fields out of a record that nothing is read from.
func leaner(line string, enough func(string) bool) string {
	dec := json.NewDecoder(strings.NewReader(line))
	dec.UseNumber()
	var record any
	if dec.Decode(&record) != nil {
		return line
	}
	end := line[len(strings.TrimRight(line, "\n")):]
	text := func() string { return string(text.MustJSON(record)) + end }
	if !enough(text()) {
		return line
	}
	var prune func(v any, depth int)
	prune = func(v any, depth int) {
		m, ok := v.(map[string]any)
		if !ok || depth > 4 {
			return
		}
		for _, key := range slices.Sorted(maps.Keys(m)) {
			old := m[key]
			if delete(m, key); enough(text()) {
				continue
			}
			m[key] = old
			prune(old, depth+1)
		}
	}
	prune(record, 0)
	return text()
}
