package tools

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/mcpservers"
	"github.com/llm-cli-gateway/gateway/engine/catalog/optimize"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/job/redaction"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/policy"
	"github.com/llm-cli-gateway/gateway/engine/promptpaths"
)

// Explanation is what a call would run, without running it.
type Explanation struct {
	Tool     string            `json:"tool"`
	Bin      string            `json:"bin"`               // path of the program, or its name if it is not installed
	Argv     []string          `json:"argv"`              // without the program itself
	Stdin    *string           `json:"stdin"`             // null if nothing is written to it
	Env      map[string]string `json:"env"`               // names, with where each comes from; never values
	Dir      string            `json:"cwd"`               // working directory
	Timeouts Timeouts          `json:"timeouts"`          // 0: none
	Mode     lang.Mode         `json:"mode"`              // new, resume or latest
	Session  string            `json:"session,omitempty"` // of which it is a turn
	Access   access.Access     `json:"access"`            // what it may do
	Trusted  bool              `json:"trusted"`           // somebody has trusted the working directory
	Risks    []policy.Hit      `json:"risk,omitempty"`    // rules of the specs that hold for the call

	MCP   *mcpservers.Selection `json:"mcpServers,omitempty"` // servers that the call asks for
	Files []catalog.File        `json:"files,omitempty"`      // made for the call; the path of one is {NAME.file}

	Optimization *optimize.Savings `json:"optimization,omitempty"` // what was saved of the prompt

	Approval policy.Decision   `json:"approval"` // what is decided about the call
	Policies []policy.Decision `json:"policies"` // what would be: without a policy, then by each
	Missing  string            `json:"missing,omitempty"`
	Version  string            `json:"version,omitempty"`  // installed, where the command depends on it
	Warnings []string          `json:"warnings,omitempty"` // what was asked for and left out
	Steps    []catalog.Step    `json:"steps"`              // where each word came from
}

// Timeouts are the bounds of the run in milliseconds.
type Timeouts struct {
	IdleMs  int64 `json:"idleMs"`
	WallMs  int64 `json:"wallMs"`
	GraceMs int64 `json:"graceMs"`
}

// Explain says what a call would run. The error tells all that is wrong with it.
func (t *Tools) Explain(ctx context.Context, name string, args json.RawMessage) (Explanation, error) {
	cat := t.Catalog()
	found, problem := find(cat, name)
	if problem == "" && found.cli == nil {
		problem = name + " runs no program, so there is nothing to explain"
	}
	if problem != "" {
		return Explanation{}, errors.New(problem)
	}
	var e Explanation
	show := call.HandlerFunc(func(_ context.Context, req *call.Request) (*call.Outcome, error) {
		var err error
		e, err = t.explanation(req)
		return &call.Outcome{Request: req}, err
	})
	out, err := call.Preview(t.Calls, show).Call(ctx, &call.Request{Tool: name, Args: args, Catalog: cat})
	if err == nil && out.Failure != nil {
		err = errors.New(out.Failure.Message)
	}
	if err != nil {
		err = errors.New(cat.Secrets.Redact(err.Error()))
	}
	return e, err
}

// explanation is what a call would run that was taken as far as it can be without an
// effect.
func (t *Tools) explanation(req *call.Request) (Explanation, error) {
	name, cat, bound, dir := req.Tool, req.Catalog, req.Bound, req.Dir
	if problem := promptpaths.Outside(bound, dir, req.Roots); problem != "" {
		return Explanation{}, errors.New(problem)
	}
	if violations := environment.SelectServers(t.Runner.Host, cat, bound, dir); violations != nil {
		return Explanation{}, errors.New(call.Complaint(name, violations))
	}
	command, violations := bound.Command(catalog.Anywhere)
	if violations != nil {
		return Explanation{}, errors.New(call.Complaint(name, violations))
	}
	environ, err := t.Runner.Host.Environ(environment.OfCall(cat, bound, command, dir))
	if err != nil {
		return Explanation{}, err
	}
	limits := environment.Limits(cat, bound)
	e := Explanation{
		Tool: name, Bin: command.Bin, Argv: command.Args, Stdin: command.Stdin, Env: map[string]string{}, Dir: dir, Mode: bound.Mode, Session: bound.Session, Access: bound.Access, Trusted: bound.Place.Trusted,
		Timeouts: Timeouts{limits.Idle.Milliseconds(), limits.Wall.Milliseconds(), limits.Grace.Milliseconds()},
		Risks:    cat.Risks(bound), Approval: policy.Decide(cat.Approval, cat.Settings.Approvals, cat.Question(bound)), Policies: policy.Each(cat.Approval, cat.Settings.Approvals, cat.Question(bound)), Steps: command.Steps,
		Version: bound.CLI.Installed().String(), Warnings: slices.Concat(bound.Notes, bound.Servers().Notes()), MCP: bound.Servers(), Files: command.Files,
		Optimization: optimization(bound.Saved, nil),
	}
	for _, name := range host.Names(environ) {
		e.Env[name] = "passed on"
		if _, set := command.Env[name]; set {
			e.Env[name] = "set by the spec"
		} else if name == "PWD" {
			e.Env[name] = "the working directory"
		}
	}
	e.redact(redaction.New(environ, cat).Redact)
	path, err := t.Runner.Host.Find(command.Bin)
	if err != nil {
		e.Missing = err.Error()
	} else {
		e.Bin = path
	}
	return e, nil
}

// redact removes secrets from what a caller or a variable said.
func (e *Explanation) redact(without func(string) string) {
	argv, files, steps := slices.Clone(e.Argv), slices.Clone(e.Files), slices.Clone(e.Steps)
	for i := range argv {
		argv[i] = without(argv[i])
	}
	for i := range e.Warnings {
		e.Warnings[i] = without(e.Warnings[i])
	}
	for i := range files {
		files[i].Text = without(files[i].Text)
	}
	for i := range steps {
		steps[i].Word = without(steps[i].Word)
	}
	e.Argv, e.Files, e.Steps = argv, files, steps
	if e.Stdin != nil {
		input := without(*e.Stdin)
		e.Stdin = &input
	}
}
