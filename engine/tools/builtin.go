package tools

import (
	"context"
	"encoding/json"
	"reflect"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
)

// builtins are the tools of the gateway itself, in the order of the listing. A new tool is
// a file that defines a Builtin, and a line here.
var builtins = []builtin{
	JobStatusTool, JobResultTool, JobCancelTool, JobListTool,
	ApprovalListTool,
	GatewayStatusTool, CLIVersionsTool, CLIUpgradeTool,
	ListModelsTool,
	SessionCreateTool, SessionListTool, SessionUseTool, SessionGetTool, SessionDeleteTool, SessionClearTool,
}

// builtin is a Builtin of any types.
type builtin interface {
	name() string
	listing() *catalog.Builtin
	call(ctx context.Context, t *Tools, from Caller, args json.RawMessage) Result
}

// Builtin is a tool of the gateway itself. In is a struct whose fields are the
// parameters, see params; Out is the structured result, which Output (a JSON Schema)
// describes as far as a model needs it.
type Builtin[In, Out any] struct {
	catalog.Tool // without Input, which follows from In

	// handle does the work. Its error becomes a result, see failureOf.
	handle func(t *Tools, ctx context.Context, from Caller, in In) (Out, error)
	// render returns the result as blocks of text, as complete as the structure.
	render func(Out) []string

	// changes says what a call with the input would change, for the policies; Level None:
	// nothing that they decide about. nil: never anything.
	changes func(In) call.Change
	// failed reports whether the result is a failure, though it is complete; nil: never.
	failed func(Out) bool
	// response returns the member "response" of the result, which is not in the JSON of
	// Out; nil: the result has none.
	response func(Out) string

	once  sync.Once
	built *catalog.Builtin
}

// Caller is who calls a built-in tool.
type Caller struct {
	Client   call.Client
	Progress func(message string) // reports what is going on; nil when nobody listens
}

func (b *Builtin[In, Out]) name() string { return b.Name }

// listing is made when it is first needed, so that a start does not pay for it.
func (b *Builtin[In, Out]) listing() *catalog.Builtin {
	b.once.Do(func() { b.built = catalog.NewBuiltin(b.Tool, params(reflect.TypeFor[In]())...) })
	return b.built
}

// Call calls the tool for a command: the input is checked, and what is wrong with it is the
// result. Policies decide about it only inside a job: else its caller is a person. The output is nil if there is none, because the call was refused or
// could not be answered.
func (b *Builtin[In, Out]) Call(ctx context.Context, t *Tools, from Caller, in In) (*Out, Result) {
	inside := false
	if b.changes != nil {
		outer, err := t.Runner.Enclosing(ctx)
		if err != nil {
			return nil, t.failedTool(failureOf(err))
		}
		inside = outer != ""
	}
	return b.run(ctx, t, from, encode(in), inside)
}

func (b *Builtin[In, Out]) call(ctx context.Context, t *Tools, from Caller, args json.RawMessage) Result {
	_, r := b.run(ctx, t, from, args, true)
	return r
}

// run calls the tool; guarded, if policies decide whether it may change what it changes.
func (b *Builtin[In, Out]) run(ctx context.Context, t *Tools, from Caller, args json.RawMessage, guarded bool) (*Out, Result) {
	values, violations := b.listing().Bind(args, t.Catalog().Settings.Injected)
	if violations != nil {
		return nil, t.refused(call.Complaint(b.Name, violations), "correct the arguments and call again; nothing was done")
	}
	var in In
	setInput(reflect.ValueOf(&in).Elem(), values)
	if guarded && b.changes != nil {
		change := b.changes(in)
		change.Tool, change.Client = b.Name, from.Client
		if change.Level != access.None {
			if f := t.Calls.Permit(ctx, change); f != nil {
				return nil, t.failedTool(*f)
			}
		}
	}
	out, err := b.handle(t, ctx, from, in)
	if err != nil {
		return nil, t.failedTool(failureOf(err))
	}
	return &out, b.result(out)
}

// read is the result for input that needs no check. The error is that of the handler.
func (b *Builtin[In, Out]) read(ctx context.Context, t *Tools, in In) (Result, error) {
	out, err := b.handle(t, ctx, Caller{}, in)
	if err != nil {
		return Result{}, err
	}
	return b.result(out), nil
}

func (b *Builtin[In, Out]) result(out Out) Result {
	r := Result{Text: b.render(out), Structured: encode(out), Bare: b.response == nil}
	if b.response != nil {
		r.Response = b.response(out)
	}
	r.IsError = b.failed != nil && b.failed(out)
	return r
}

// tool is what a name stands for.
type tool struct {
	cli     *catalog.CLI // of a request, waited for or not
	async   bool
	builtin builtin
}

// names are those of its parameters.
func (t tool) names() (names []string) {
	var params []*catalog.Param
	if t.cli != nil {
		params = t.cli.Params()
	} else {
		params = t.builtin.listing().Params()
	}
	for _, p := range params {
		names = append(names, p.Name)
	}
	return names
}

// param is a parameter of the tool.
func (t tool) param(name string) (*catalog.Param, bool) {
	if t.cli != nil {
		return t.cli.Param(name)
	}
	return t.builtin.listing().Param(name)
}
