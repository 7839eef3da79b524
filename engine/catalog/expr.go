package catalog

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// allowed are the builtins of an expression. What is missing here either reads a
// clock or can be made to grow without bound.
var allowed = []string{
	"all", "any", "none", "one", "filter", "map", "find", "count", "sum", "len",
	"lower", "upper", "trim", "hasPrefix", "hasSuffix", "split", "join",
	"string", "int", "float", "keys", "values", "first", "last", "toJSON",
}

// recordScope is what an expression over one record of the output may name.
var recordScope = types.Map{"event": types.Any}

// endScope is what an expression over a finished run may name.
var endScope = types.Map{
	"exit": types.Int, "signal": types.String,
	"stdout": types.String, "stderr": types.String,
	"text": types.String, "error": types.String, "ended": types.Bool,
	"mode": types.String, "event": types.Any,
	"session": types.Map{"want": types.String, "got": types.String},
}

// callScope is what an expression over a call may name: its parameters, and under
// given whether each was passed.
func callScope(params []*Param) types.Map {
	given, scope := types.Map{}, types.Map{"mode": types.String, "prompt": types.String}
	for _, p := range params {
		if p.role != "" && p.role != roleServers {
			continue
		}
		given[p.Name] = types.Bool
		switch p.Kind {
		case Bool:
			scope[p.Name] = types.Bool
		case Int:
			scope[p.Name] = types.Int
		case Number:
			scope[p.Name] = types.Float64
		case List:
			scope[p.Name] = types.Array(types.String)
		default:
			scope[p.Name] = types.String
		}
	}
	scope["given"] = given
	return scope
}

// ruleScope is what a rule for calls of any CLI may name.
var ruleScope = types.Map{"cli": types.String, "mode": types.String, "prompt": types.String, "danger": types.Array(types.String)}

// expression is a condition or an extraction. It is compiled at its first use, so
// that a gateway which starts from a vetted snapshot does not pay for those that
// no call needs.
type expression struct {
	src   string
	scope types.Map
	want  expr.Option // nil: any result
	once  sync.Once
	prog  *vm.Program
	err   error
}

func (e *expression) program() (*vm.Program, error) {
	e.once.Do(func() { e.prog, e.err = e.compile() })
	return e.prog, e.err
}

func (e *expression) compile() (*vm.Program, error) {
	opts := []expr.Option{expr.Env(e.scope), expr.MaxNodes(200), expr.DisableAllBuiltins()}
	for _, name := range allowed {
		opts = append(opts, expr.EnableBuiltin(name))
	}
	if e.want != nil {
		opts = append(opts, e.want)
	}
	// As a patch the guard sees the expression as it is written; the optimizer turns
	// a range into a long literal.
	guard := &guard{}
	prog, err := expr.Compile(e.src, append(opts, expr.Patch(guard))...)
	if err == nil {
		err = guard.err
	}
	return prog, err
}

// eval runs the expression. A failing one counts as "does not hold" where the
// caller says so: a record that lacks a field is not an error of the spec.
func (e *expression) eval(env map[string]any) (any, error) {
	prog, err := e.program()
	if err != nil {
		return nil, err
	}
	return vm.Run(prog, env)
}

// text is what an expression gives as text; "" where there is none or it fails.
func (e *expression) text(env map[string]any) string {
	if e == nil {
		return ""
	}
	v, err := e.eval(env)
	if err != nil {
		return ""
	}
	return asText(v)
}

// holds reports whether a condition is true.
func (e *expression) holds(env map[string]any) bool {
	if e == nil {
		return true
	}
	v, err := e.eval(env)
	yes, _ := v.(bool)
	return err == nil && yes
}

// report adds what is wrong with the expression to the problems at p.
func (e *expression) report(p lang.Problems) {
	_, err := e.program()
	if err == nil {
		return
	}
	body, offset := err.Error(), 0
	var at *file.Error
	if errors.As(err, &at) {
		runes := []rune(e.src)
		body, offset = at.Message, len(string(runes[:min(at.From, len(runes))]))
	}
	problem := p.Add("expression", "in expression %q: %s", text.Shorten(e.src, 200), firstLine(body))
	problem.Offset = offset
	if m := unknownName.FindStringSubmatch(body); m != nil {
		problem.Hint = text.DidYouMean(m[1], e.names())
	}
}

var unknownName = regexp.MustCompile(`unknown (?:name|field) (\w+)`)

func (e *expression) names() []string {
	names := append([]string(nil), allowed...)
	for name, t := range e.scope {
		names = append(names, name)
		if nested, ok := t.(types.Map); ok {
			for name := range nested {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// guard refuses what could run long: ranges build lists out of nothing, and nested
// predicates cost the product of the lengths of the lists.
type guard struct{ err error }

func (g *guard) Visit(node *ast.Node) {
	text := ""
	switch n := (*node).(type) {
	case *ast.BinaryNode:
		if n.Operator == ".." {
			text = "a range is not allowed"
		}
	case *ast.BuiltinNode:
		// Disabling the builtins leaves those that take a predicate. One of them,
		// reduce, doubles a text with every element of a list.
		if !slices.Contains(allowed, n.Name) {
			text = "unknown name " + n.Name
		} else if predicateDepth(n) > 1 {
			text = "a predicate inside a predicate takes time that grows with the square of a list; use one level"
		}
	}
	if text != "" && g.err == nil {
		g.err = &file.Error{Location: (*node).Location(), Message: text}
	}
}

// predicateDepth is how deep any(), filter() and the like are nested.
func predicateDepth(node ast.Node) int {
	deepest := 0
	v := visitFunc(func(n *ast.Node) {
		b, ok := (*n).(*ast.BuiltinNode)
		if !ok {
			return
		}
		for _, arg := range b.Arguments {
			if p, ok := arg.(*ast.PredicateNode); ok {
				deepest = max(deepest, 1+predicateDepth(p.Node))
			}
		}
	})
	ast.Walk(&node, v)
	return deepest
}

type visitFunc func(*ast.Node)

func (f visitFunc) Visit(n *ast.Node) { f(n) }

// asText shows a value that an expression took out of a record; "" for nothing.
func asText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		var b strings.Builder
		for _, item := range v {
			b.WriteString(asText(item))
		}
		return b.String()
	case map[string]any:
		// What an expression made may hold an infinite number, which JSON cannot.
		if text, err := text.JSON(v); err == nil {
			return string(text)
		}
	}
	return fmt.Sprint(v)
}

func asNumber(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	}
	return 0, false
}
