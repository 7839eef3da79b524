package catalog

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/catalog/modelnames"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Bind checks the arguments of a call, a JSON object, and completes it. All problems
// are reported at once. Arguments named in injected are removed first; newID
// makes the ids that the caller did not give. Which version of the program the call is
// for is decided by At.
//
// The models are those of the specs; BindModels takes others.
func (c *CLI) Bind(args json.RawMessage, injected []string, newID func() string) (*Call, Violations) {
	c = c.At("")
	return c.BindModels(args, injected, newID, c.declared)
}

// BindModels is Bind with the models that hold at the moment. They must be models that
// CheckModel lets pass.
func (c *CLI) BindModels(args json.RawMessage, injected []string, newID func() string, models modelnames.Models) (*Call, Violations) {
	c = c.At("")
	given, wrong := c.arguments(args, injected)
	if wrong != nil {
		return nil, wrong
	}
	call := &Call{CLI: c, values: map[string]any{}, given: map[string]bool{}}
	b := binder{cli: c, call: call, models: models, bound: bound{values: call.values, given: call.given}}
	b.refuseServers(given)
	b.refuseSessions(given)
	c.paramSet.bind(given, &b.bound, b.special)
	b.optimizePrompt()
	b.defaultModel()
	call.again = b.before()
	b.mode(newID)
	b.checkConstraints()
	b.finish(newID)
	if len(b.wrong) > 0 {
		return nil, b.wrong
	}
	return call, nil
}

// object decodes the arguments, with numbers as they were written.
func object(raw json.RawMessage) (map[string]any, string) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return map[string]any{}, ""
	}
	if !utf8.Valid(raw) {
		return nil, "the arguments are not valid UTF-8"
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, "the arguments are not valid JSON: " + err.Error()
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, "the arguments are followed by something else"
	}
	switch v := v.(type) {
	case nil:
		return map[string]any{}, ""
	case map[string]any:
		return v, ""
	}
	return nil, "the arguments must be an object, not " + text.Kind(v)
}

// binder makes a call out of bound arguments.
type binder struct {
	cli    *CLI
	call   *Call
	models modelnames.Models
	bound
}

// special binds what is no value of the spec's parameters.
func (b *binder) special(p *Param, arg any) bool {
	if p.role != rolePrompt {
		return false
	}
	b.prompt(p, arg)
	return true
}

// refuseServers says of parameters that other CLIs have why this one has not.
func (b *binder) refuseServers(given map[string]any) {
	if !b.cli.MCP.IsZero() {
		return
	}
	for _, name := range []string{ParamMCPServers, ParamStrictMCPConfig} {
		if v, ok := given[name]; ok && v != nil {
			b.add(name, "%s takes no MCP servers from its callers; cli.%s.mcp would say how", b.cli.DisplayName(), b.cli.Name)
		}
		delete(given, name)
	}
}

// refuseSessions says the same of conversations. Where none can go on every call begins
// one, so that to ask for that is no mistake.
func (b *binder) refuseSessions(given map[string]any) {
	if b.cli.Converses() || b.cli.FindsLatest() {
		return
	}
	for _, name := range []string{ParamSessionID, ParamContinueSession, ParamResumeLatest} {
		if v, ok := given[name]; ok && v != nil && v != false {
			b.add(name, "conversations of %s cannot be continued; cli.%s.session would say how", b.cli.DisplayName(), b.cli.Name)
		}
		delete(given, name)
	}
	if _, yes := given[ParamCreateNewSession].(bool); yes {
		delete(given, ParamCreateNewSession)
	}
}

// prompt has the messages that callers of this kind of tool know.
func (b *binder) prompt(p *Param, arg any) {
	s, ok := arg.(string)
	n := utf8.RuneCountInString(s)
	limits := b.cli.CLISpec.Prompt
	switch {
	case !ok:
		b.add(p.Name, "must be a string, not %s", text.Kind(arg))
	case *p.MinLength > 0 && strings.TrimSpace(s) == "":
		b.add(p.Name, "Prompt cannot be empty")
	case n < *p.MinLength:
		b.add(p.Name, "Prompt too short (min %s chars)", text.Number(float64(*p.MinLength)))
	case n > *p.MaxLength:
		b.add(p.Name, "Prompt too long (max %s chars)", thousands(*p.MaxLength))
	case limits.MaxBytes > 0 && len(s) > limits.MaxBytes:
		b.add(p.Name, "Prompt too long (%s takes at most %s bytes, this one has %s)", b.cli.DisplayName(), text.Number(float64(limits.MaxBytes)), text.Number(float64(len(s))))
	case strings.ContainsRune(s, 0):
		b.add(p.Name, "contains a NUL character, which no program can receive")
	}
	b.call.Prompt = s
}

// thousands writes 100000 as 100k.
func thousands(n int) string {
	if n >= 1000 && n%1000 == 0 {
		return text.Number(float64(n/1000)) + "k"
	}
	return text.Number(float64(n))
}
