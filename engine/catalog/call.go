package catalog

import (
	"maps"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/catalog/mcpservers"
	"github.com/llm-cli-gateway/gateway/engine/catalog/optimize"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Call is one call of a CLI: its arguments, checked and completed. Only Bind makes
// one, so whoever holds it need not check again.
type Call struct {
	CLI           *CLI
	Prompt        string
	Mode          lang.Mode
	SessionID     string // id to resume, or to create under; "" if the CLI chooses
	Model         string // as passed to the CLI; "" for its own default
	CorrelationID string
	Dir           string           // as asked for; "" for the default
	Idle, Wall    time.Duration    // as asked for; 0 for the default
	Show          string           // "answer", "record" or "events"
	Async         bool             // asked for as a job
	MaxChars      int              // of the answer in the result, as asked for; 0 for the default
	Force         bool             // run, whatever was asked before
	Strategy      string           // of approval, as asked for: Legacy, Managed or ""
	Policy        string           // of approval, as asked for; "" for the default
	SessionChoice SessionChoice    // which conversation was asked for
	Session       string           // of the gateway, of which the call is a turn; "" for none
	Saved         *optimize.Saving // of the prompt, if it was to be shortened
	Notes         []string         // what the caller should know of how it was understood

	values map[string]any // bound values of the spec's parameters, defaults included
	given  map[string]bool
	steps  []Step // how the model was found

	Access  access.Access // what it may do; decided by WithAccess
	Place   Place         // likewise
	kept    Kept          // by the conversation
	granted string        // the argument access
	servers []string      // MCP servers of the program's own configuration

	selection       *mcpservers.Selection
	optimizesAnswer bool   // the answer is to be shortened
	generated       bool   // the SessionID is nobody's yet
	own             bool   // the SessionID is one of ours, for which the CLI has another
	again           binder // as it was before the conversation was known
}

// GivenModel reports whether the arguments name a model.
func (c *Call) GivenModel() bool { return c.given[ParamModel] }

// Step says where something in a command came from.
type Step struct {
	Word string `json:"word"`
	From string `json:"from"`
}

// Violation is one thing wrong with the arguments of a call.
type Violation struct {
	Param string // "" if the call as a whole is wrong
	Text  string
}

// Violations are all the things wrong with a call.
type Violations []Violation

// Error lists them, one a line.
func (v Violations) Error() string {
	lines := make([]string, len(v))
	for i, one := range v {
		if one.Param == "" {
			lines[i] = one.Text
		} else {
			lines[i] = one.Param + ": " + one.Text
		}
	}
	return strings.Join(lines, "\n")
}

// Arguments are the bound values of the spec's parameters, for the record. Bound
// again, they give the same command line.
func (c *Call) Arguments() map[string]any {
	out := maps.Clone(c.values)
	// Left out, a model that means "the CLI's own" would become the default.
	if c.given[ParamModel] && c.Model == "" {
		out[ParamModel] = ""
	}
	if c.optimizesAnswer {
		out[ParamOptimizeResponse] = true
	}
	return out
}

// Value is what a parameter of the spec, or one about MCP servers, comes to in the call:
// by its kind, defaults included. ok is false if it has none.
func (c *Call) Value(param string) (v any, ok bool) { v, ok = c.values[param]; return v, ok }

// Given reports whether the caller gave the parameter.
func (c *Call) Given(param string) bool { return c.given[param] }

// ConditionHolds reports whether the condition of the parameter, if it has one, holds for the call.
func (c *Call) ConditionHolds(p *Param) bool { return p.when == nil || p.when.Holds(c.scope()) }

// RestoreCall is a call as far as Decode needs it, made of what was recorded of one: its
// mode, the id of its conversation and its Arguments. It cannot be run.
func (c *CLI) RestoreCall(mode lang.Mode, sessionID string, arguments map[string]any) *Call {
	for name, v := range arguments { // JSON knows no lists of strings
		if list, ok := v.([]any); ok {
			texts := make([]string, len(list))
			for i, item := range list {
				texts[i], _ = item.(string)
			}
			arguments[name] = texts
		}
	}
	c = c.At("")
	call := &Call{CLI: c, Mode: mode, SessionID: sessionID, Show: "answer", values: arguments}
	call.optimizesAnswer, _ = arguments[ParamOptimizeResponse].(bool)
	call.show()
	return call
}

// show finds out what of the output the caller asked to see.
func (c *Call) show() {
	for _, p := range c.CLI.params {
		if v, ok := c.values[p.Name].(string); ok && p.Show != nil && p.Show[v] != "" {
			c.Show = p.Show[v]
		}
	}
}

// scope is what conditions over the call see: parameters that were not given have
// the zero value of their kind.
func (c *Call) scope() map[string]any {
	env := conditionScope(c.CLI.params)
	env["mode"], env["prompt"] = string(c.Mode), c.Prompt
	env["access"], env["trusted"] = c.Access.Words, c.Place.Trusted
	given := env["given"].(map[string]bool)
	for name := range given {
		given[name] = c.given[name]
		if v, ok := c.values[name]; ok {
			env[name] = v
		}
	}
	return env
}

// conditionScope has a value of the right type for all that a condition over a call may
// name: its parameters, and under given whether each was passed.
func conditionScope(params []*Param) map[string]any {
	given := map[string]bool{}
	env := map[string]any{"mode": "", "prompt": "", "given": given, "access": "", "trusted": false}
	for _, p := range params {
		if p.role == "" || p.role == roleServers {
			given[p.Name], env[p.Name] = false, p.Kind.zero()
		}
	}
	return env
}

// Decode reads what a run of the call printed. The error is one of reading.
func (c *Call) Decode(run extract.Run) (extract.Answer, error) {
	a, err := c.CLI.out.Decode(run, extract.Turn{Mode: c.Mode, SessionID: c.SessionID, Show: c.Show, Model: c.Model})
	if err == nil && a.Failure == nil {
		c.OptimizeAnswer(&a)
	}
	return a, err
}

// Settle begins to watch whether a run of the CLI stays after its final record; nil if it
// may.
func (c *CLI) Settle() *extract.Settle { return c.out.Settle() }

// Watch begins to watch a run of the CLI for what says that it will give no answer; nil if
// its spec has no rule that ends one.
func (c *CLI) Watch() *extract.Watch { return c.out.Watch() }

// Progress begins to watch a run of the CLI.
func (c *CLI) Progress() *extract.Progress { return c.out.Progress() }
