package extract

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

// Scope is what an expression may name, with types.
type Scope struct{ types types.Map }

// ScopeOf is a scope in which each name has the type of its value here: bool, int, float64,
// string, []string, or an object of such. nil stands for a value of any type.
func ScopeOf(values map[string]any) Scope { return Scope{typesOf(values)} }

func typesOf[V any](values map[string]V) types.Map {
	out := make(types.Map, len(values))
	for name, value := range values {
		switch value := any(value).(type) {
		case bool:
			out[name] = types.Bool
		case int:
			out[name] = types.Int
		case float64:
			out[name] = types.Float64
		case string:
			out[name] = types.String
		case []string:
			out[name] = types.Array(types.String)
		case map[string]bool:
			out[name] = typesOf(value)
		case map[string]any:
			out[name] = typesOf(value)
		default:
			out[name] = types.Any
		}
	}
	return out
}

// recordScope is what an expression over one record of the output may name.
var recordScope = Scope{types.Map{"event": types.Any}}

// endScope is what an expression over a finished run may name.
var endScope = Scope{types.Map{
	"exit": types.Int, "signal": types.String,
	"stdout": types.String, "stderr": types.String,
	"text": types.String, "error": types.String, "ended": types.Bool,
	"mode": types.String, "event": types.Any,
	"session": types.Map{"want": types.String, "got": types.String}, "now": types.Int,
}}

// Expression is a condition, or takes a value out of what it sees. It is compiled at its
// first use, so that a gateway which starts from a vetted snapshot does not pay for those
// that no call needs. A nil one is what a spec leaves out: as a condition it holds.
type Expression struct {
	src       string
	scope     Scope
	condition bool // its result must be a bool
	once      sync.Once
	prog      *vm.Program
	err       error
}

// Condition is the condition src over a scope, nil for "". What is wrong with it goes to
// ps, unless it was vetted: it is then compiled at its first use.
func Condition(src string, scope Scope, vetted bool, ps lang.Problems) *Expression {
	return made(&Expression{src: src, scope: scope, condition: true}, vetted, ps)
}

// value is likewise for what takes something out of a scope.
func value(src string, scope Scope, vetted bool, ps lang.Problems) *Expression {
	return made(&Expression{src: src, scope: scope}, vetted, ps)
}

func made(e *Expression, vetted bool, ps lang.Problems) *Expression {
	if e.src == "" {
		return nil
	}
	if !vetted {
		e.report(ps)
	}
	return e
}

// Source is the expression as the spec writes it, "" for none.
func (e *Expression) Source() string {
	if e == nil {
		return ""
	}
	return e.src
}

// Mentions reports whether the expression names something of its scope. One that cannot be
// compiled mentions nothing.
func (e *Expression) Mentions(name string) (found bool) {
	if e == nil {
		return false
	}
	prog, err := e.program()
	if err != nil {
		return false
	}
	node := prog.Node()
	ast.Walk(&node, visitFunc(func(n *ast.Node) {
		id, ok := (*n).(*ast.IdentifierNode)
		found = found || ok && id.Value == name
	}))
	return found
}

func (e *Expression) program() (*vm.Program, error) {
	e.once.Do(func() { e.prog, e.err = e.compile() })
	return e.prog, e.err
}

// maxExpression is the length of an expression in bytes. Nested parentheses and signs are no
// nodes until they are parsed, by a recursion that has no other bound.
const maxExpression = 8192

func (e *Expression) compile() (*vm.Program, error) {
	if len(e.src) > maxExpression {
		return nil, fmt.Errorf("it has %d bytes; an expression has at most %d", len(e.src), maxExpression)
	}
	opts := []expr.Option{expr.Env(e.scope.types), expr.MaxNodes(200), expr.DisableAllBuiltins()}
	for _, name := range allowed {
		opts = append(opts, expr.EnableBuiltin(name))
	}
	opts = append(opts, functions()...)
	if e.condition {
		opts = append(opts, expr.AsBool())
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
func (e *Expression) eval(env map[string]any) (any, error) {
	prog, err := e.program()
	if err != nil {
		return nil, err
	}
	return vm.Run(prog, env)
}

// text is what an expression gives as text; "" where there is none or it fails.
func (e *Expression) text(env map[string]any) string {
	if e == nil {
		return ""
	}
	v, err := e.eval(env)
	if err != nil {
		return ""
	}
	return asText(v)
}

// Holds reports whether a condition is true. One that fails is not.
func (e *Expression) Holds(env map[string]any) bool {
	if e == nil {
		return true
	}
	v, err := e.eval(env)
	yes, _ := v.(bool)
	return err == nil && yes
}

// HoldsOrFails is Holds for conditions that guard something: one that fails holds.
func (e *Expression) HoldsOrFails(env map[string]any) bool {
	if e == nil {
		return true
	}
	v, err := e.eval(env)
	yes, ok := v.(bool)
	return err != nil || !ok || yes
}

// report adds what is wrong with the expression to the problems at p.
func (e *Expression) report(p lang.Problems) {
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

func (e *Expression) names() []string {
	names := append([]string{"capture", "waitMs"}, allowed...)
	for name, t := range e.scope.types {
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
	case *ast.CallNode:
		text = brokenPattern(n)
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

// brokenPattern says what is wrong with the pattern that a call of capture has.
func brokenPattern(n *ast.CallNode) string {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok || callee.Value != "capture" || len(n.Arguments) != 2 {
		return ""
	}
	if pattern, ok := n.Arguments[1].(*ast.StringNode); ok {
		if _, err := regexp.Compile(pattern.Value); err != nil {
			return err.Error()
		}
	}
	return ""
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
