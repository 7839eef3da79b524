package catalog

import "encoding/json"

// Builtin is a tool of the gateway itself. Its parameters are declared, bound and
// listed like those of a CLI.
type Builtin struct {
	Tool
	paramSet
}

// NewBuiltin completes the listing of t by its parameters. A default has the Go type
// of its kind.
func NewBuiltin(t Tool, params ...*Param) *Builtin {
	b := &Builtin{Tool: t, paramSet: newParamSet(params)}
	b.Input = b.InputSchema()
	return b
}

// Params are the parameters in the order of the schema.
func (b *Builtin) Params() []*Param { return b.params }

// Bind checks the arguments, a JSON object, and completes them by defaults. All problems are
// reported at once. The values have the Go types of their kinds.
func (b *Builtin) Bind(args json.RawMessage, injected []string) (map[string]any, Violations) {
	given, wrong := b.arguments(args, injected)
	if wrong != nil {
		return nil, wrong
	}
	out := bound{values: map[string]any{}, given: map[string]bool{}}
	b.paramSet.bind(given, &out, nil)
	if len(out.wrong) > 0 {
		return nil, out.wrong
	}
	return out.values, nil
}
