package extract

import (
	"bytes"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// prefilter are texts of which at least one stands in the JSON of every record for which
// the condition holds; nil if none are known. They come of comparisons of a value in
// the record with literal text.
func (e *Expression) prefilter() [][]byte {
	if e == nil {
		return nil
	}
	tree, err := parser.Parse(e.src)
	if err != nil {
		return nil
	}
	var found [][]byte
	for _, text := range needed(tree.Node) {
		found = append(found, []byte(`"`+text+`"`))
	}
	return found
}

// needed are the texts of which one must be a value in the record.
func needed(node ast.Node) []string {
	n, ok := node.(*ast.BinaryNode)
	if !ok {
		return nil
	}
	switch n.Operator {
	case "&&", "and":
		if left := needed(n.Left); left != nil {
			return left
		}
		return needed(n.Right)
	case "||", "or":
		if left, right := needed(n.Left), needed(n.Right); left != nil && right != nil {
			return append(left, right...)
		}
	case "==":
		if ofRecord(n.Left) {
			return literals(n.Right)
		}
		if ofRecord(n.Right) {
			return literals(n.Left)
		}
	case "in":
		if list, ok := n.Right.(*ast.ArrayNode); ok && ofRecord(n.Left) {
			return literals(list.Nodes...)
		}
	}
	return nil
}

// literals are the texts that the nodes stand for, or nil if one of them is no text or
// may be written in JSON in more ways than one.
func literals(nodes ...ast.Node) (texts []string) {
	for _, node := range nodes {
		n, ok := node.(*ast.StringNode)
		if !ok || strings.ContainsFunc(n.Value, func(r rune) bool { return !strings.ContainsRune(plainText, r) }) {
			return nil
		}
		texts = append(texts, n.Value)
	}
	return texts
}

const plainText = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. "

// ofRecord reports whether a node is a value of the record as it stands there.
func ofRecord(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.IdentifierNode:
		return n.Value == "event"
	case *ast.MemberNode:
		return ofRecord(n.Node)
	case *ast.ChainNode:
		return ofRecord(n.Node)
	case *ast.BuiltinNode:
		return (n.Name == "first" || n.Name == "last") && len(n.Arguments) == 1 && ofRecord(n.Arguments[0])
	}
	return false
}

func containsAny(line []byte, texts [][]byte) bool {
	return slices.ContainsFunc(texts, func(text []byte) bool { return bytes.Contains(line, text) })
}
