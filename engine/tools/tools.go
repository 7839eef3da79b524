// Package tools holds the tools that the gateway offers: their listing and what a
// call of one does, from arguments to result; and the resources, which tell some of the
// same to those who only read.
//
// It hides binding, placing and running behind one door, which the MCP server and
// the command line share. It must not know by which transport a call came.
package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/calllog"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/models"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Tools answers for the catalog that is current when a call begins.
type Tools struct {
	Catalog func() *catalog.Catalog
	Runner  *job.Runner
	Models  *models.Registry // nil: what specs say

	Sessions *session.Service // nil: a call belongs to no session but one that it names

	// Where decisions about calls are recorded; nil, or without a store: in the journal only.
	Decisions func() (ApprovalStore, error)
	Journal   store.Journal

	Specs Specs // that are in force; nil: there is nothing to report

	Profile string // of the listing, over the setting; "": that one's

	Versions *installed.Prober // of the installed CLIs

	Log     *calllog.Log  // of calls; nil: none
	Handler call.Handler  // of calls of agents
	Calls   *call.Service // that Handler is made of
}

// Result is the end of a call.
type Result struct {
	Text       []string        // blocks for people and models; together they are complete
	Structured json.RawMessage // an object; with Response appended it is complete
	Response   string          // member "response" of the object, last because it is long
	IsError    bool
	Bare       bool // the object has no member "response"

	NeedInput *call.InputRequired // nothing was done: call again with what the client says
}

// Params are the names of the parameters of a tool, nil if there is no such tool.
func (t *Tools) Params(name string) []string {
	found, problem := find(t.Catalog(), name)
	if problem != "" {
		return nil
	}
	return found.names()
}

// Call runs one tool to its end. Of a tool that calls an agent the end may be that the
// job goes on.
func (t *Tools) Call(ctx context.Context, req call.Request) Result {
	cat := t.Catalog()
	req.Catalog = cat
	tool, problem := find(cat, req.Tool)
	switch {
	case problem != "":
		return t.unknown(&req, &lang.Failure{Class: lang.ClassUsage, Message: problem, Hint: "`gateway tools` lists the tools"})
	case tool.builtin != nil:
		begun := time.Now()
		r := tool.builtin.call(ctx, t, Caller{req.Client, req.Progress}, req.Args)
		t.Log.Builtin(req.Tool, time.Since(begun), r.IsError)
		return r
	}
	entry := t.Log.Enter(&req)
	out, err := t.Calls.Complete(ctx, t.Handler, &req, t.softDeadline())
	entry.End(&req, out, err)
	var need *call.InputRequired
	switch {
	case errors.As(err, &need):
		return Result{NeedInput: need}
	case err != nil:
		return t.refused(err.Error(), "")
	}
	return t.render(out)
}

// unknown refuses a call of a tool that is not there.
func (t *Tools) unknown(req *call.Request, f *lang.Failure) Result {
	t.Log.Enter(req).End(req, &call.Outcome{Request: req, Failure: f, Refused: true}, nil)
	return refusal(req, "", f)
}

// softDeadline is for how long a call is waited for; 0 is for as long as it takes.
func (t *Tools) softDeadline() time.Duration {
	return time.Duration(t.Catalog().Settings.Jobs.SyncMs) * time.Millisecond
}

// find looks a tool up; problem says what is wrong with the name.
func find(catalog *catalog.Catalog, name string) (found tool, problem string) {
	for _, cli := range catalog.CLIs {
		switch name {
		case cli.Tool():
			return tool{cli: cli}, ""
		case cli.AsyncTool():
			return tool{cli: cli, async: true}, ""
		}
	}
	for _, b := range builtins {
		if b.name() == name {
			return tool{builtin: b}, ""
		}
	}
	problem = fmt.Sprintf("there is no tool %q", name)
	if meant := meant(catalog, name); meant != "" {
		problem += fmt.Sprintf(" (did you mean %q?)", meant)
	}
	return tool{}, problem
}

// meant is the tool whose name is near, or "". What the names of all tools end in makes
// none of them near, so those of CLIs are compared without it.
func meant(cat *catalog.Catalog, name string) string {
	names := []string{}
	for _, b := range builtins {
		names = append(names, b.name())
	}
	if near := text.Nearest(name, names); near != "" {
		return near
	}
	base, async := strings.CutSuffix(name, catalog.AsyncSuffix)
	base, _, _ = strings.Cut(base, "_req")
	names = names[:0]
	for _, cli := range cat.CLIs {
		names = append(names, cli.Name)
	}
	cli, ok := cat.CLI(text.Nearest(base, names))
	switch {
	case !ok:
		return ""
	case async:
		return cli.AsyncTool()
	}
	return cli.Tool()
}
