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
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/job"
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

	Sessions *session.Book // nil: a call belongs to no session but one that it names

	// Where decisions about calls are recorded; nil, or without a store: in the journal only.
	Decisions func() (*store.Store, error)
	Journal   store.Journal

	Status func() Status // of the specs; nil: there is nothing to tell

	Profile string // of the listing, over the setting; "": that one's

	questions questions
	// Versions tells what is installed.
	Versions *installed.Prober
}

// Call is one call of a tool.
type Call struct {
	Name   string
	Args   json.RawMessage // a JSON object, as the client sent it
	Client call.Client

	// Roots asks the client for its root directories; nil when it has none to tell.
	Roots func(ctx context.Context) ([]string, error)
	// RootsNextRound says that Roots cannot be asked while the call runs: the tool
	// returns NeedRoots and is called again.
	RootsNextRound bool
	// Ask shows a text to the person in front of the client, who accepts it or not; nil
	// when the client cannot ask. It waits for as long as ctx lasts.
	Ask func(ctx context.Context, text string) (Reply, error)
	// AskNextRound says that the client can ask, but not while the call runs: the tool
	// returns a Question and is called again with the Answer.
	AskNextRound bool
	Answer       *Answer
	// Progress tells the client what is going on; nil when it did not ask.
	Progress func(message string)
}

// Reply is what a person said to a question.
type Reply string

const (
	Accepted Reply = "accept"
	Declined Reply = "decline" // said no
	Dropped  Reply = "cancel"  // did not decide
)

// Question is put to the person in front of the client before the call is made again.
// The state comes back with the answer.
type Question struct{ Text, State string }

// Answer is what a person said to the question of an earlier round.
type Answer struct {
	Reply Reply
	State string
}

// Result is the end of a call.
type Result struct {
	Text       []string        // blocks for people and models; together they are complete
	Structured json.RawMessage // an object; with Response appended it is complete
	Response   string          // member "response" of the object, last because it is long
	IsError    bool
	Bare       bool // the object has no member "response"
	NeedRoots  bool // nothing was done: call again with the client's roots

	Question *Question // nothing was done: call again with the answer

	again bool // nothing was done, because the session stands otherwise than it seemed
	none  bool // nothing was done, because there is no conversation to continue
}

// Params are the names of the parameters of a tool, nil if there is no such tool.
func (t *Tools) Params(name string) []string {
	found, problem := find(t.Catalog(), name)
	if problem != "" {
		return nil
	}
	return found.names()
}

// Call runs one tool to its end.
func (t *Tools) Call(ctx context.Context, c Call) Result {
	catalog := t.Catalog()
	tool, problem := find(catalog, c.Name)
	switch {
	case problem != "":
		return refusal("", "", problem, "`gateway tools` lists the tools")
	case tool.builtin != nil:
		return t.builtin(ctx, tool.builtin, c)
	}
	cli := t.installed(ctx, catalog, tool.cli)
	bound, violations := t.bind(catalog, cli, c.Args)
	if violations != nil {
		return refusal(cli.Name, "", complaint(c.Name, violations), "correct the arguments and call again; nothing was run")
	}
	dir, roots, problem := t.place(ctx, c, bound)
	switch {
	case problem == needRoots:
		return Result{NeedRoots: true}
	case problem != "":
		return refusal(cli.Name, bound.CorrelationID, problem, "pass workingDir: an absolute path of an existing directory")
	}
	req := call.Request{Catalog: catalog, Bound: bound, Tool: c.Name, Dir: dir, Roots: roots, Client: c.Client}
	for attempts := 2; ; attempts-- {
		if end := t.converse(ctx, &req); end != nil {
			return *end
		}
		if end := t.approve(ctx, c, &req); end != nil {
			return *end
		}
		var r Result
		if tool.async || bound.Async {
			r = t.submit(ctx, req)
		} else {
			r = t.request(ctx, req, c.Progress)
		}
		if r.none {
			if anew, wrong := req.Bound.Anew(newID); wrong == nil {
				req.Bound, r.again = anew, true
			}
		}
		if !r.again || attempts == 1 {
			return r
		}
	}
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
		if b.Name == name {
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
		names = append(names, b.Name)
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

// complaint tells all that is wrong with the arguments.
func complaint(tool string, v catalog.Violations) string {
	if len(v) == 1 {
		return v.Error()
	}
	return fmt.Sprintf("%d problems with the arguments of %s:\n- %s", len(v), tool, strings.ReplaceAll(v.Error(), "\n", "\n- "))
}

func newID() string { return session.NewID() }

const needRoots = "need roots"

// place finds the working directory: the parameter, else the client's only root,
// else our own, unless that is the root of the file system, where clients start us
// when they do not care. The roots come with it where they matter.
func (t *Tools) place(ctx context.Context, c Call, call *catalog.Call) (dir string, roots []string, problem string) {
	if c.Roots != nil && (call.Dir == "" || job.Mentions(call)) {
		if c.RootsNextRound {
			return "", nil, needRoots
		}
		var err error
		if roots, err = c.Roots(ctx); err != nil && call.Dir == "" {
			return "", nil, "the client did not tell its root directories: " + err.Error()
		}
		roots = slices.Compact(slices.Sorted(slices.Values(roots)))
	}
	if call.Dir != "" {
		return call.Dir, roots, usable("workingDir", call.Dir)
	}
	if len(roots) == 1 {
		return roots[0], roots, usable("the client's root", roots[0])
	}
	if len(roots) > 1 {
		return "", nil, "the client has several root directories (" + strings.Join(roots, ", ") + "), and workingDir does not say which"
	}
	own, err := os.Getwd()
	switch {
	case err != nil:
		return "", nil, "the gateway's own working directory is gone: " + err.Error()
	case isRoot(own):
		return "", nil, "there is no working directory: the client has no root, and the gateway was started in " + own
	}
	return own, nil, ""
}

func isRoot(dir string) bool { return strings.Trim(dir, `/\`) == "" || strings.HasSuffix(dir, `:\`) }

// usable says what is wrong with a directory; "" if nothing.
func usable(name, dir string) string {
	if !filepath.IsAbs(dir) {
		return fmt.Sprintf("%s %q is not an absolute path", name, dir)
	}
	info, err := os.Stat(dir)
	switch {
	case os.IsNotExist(err):
		return fmt.Sprintf("%s %s does not exist", name, dir)
	case err != nil:
		return fmt.Sprintf("%s cannot be used: %s", name, err)
	case !info.IsDir():
		return fmt.Sprintf("%s %s is not a directory", name, dir)
	}
	return ""
}
