package catalog

import (
	"fmt"
	"strconv"
	"strings"
)

// Problem is something wrong with a spec, at a path inside it. Who loaded the
// text turns the path into a position.
type Problem struct {
	Path    []string // keys and list indices from the root: "cli", "x", "risk", "1", "when"
	Below   []string // further keys to the place at fault, where Path names all that a person need be told
	Code    string   // stable kebab-case name of the kind of problem
	Text    string   // what is wrong, one line
	Hint    string   // what to do about it, shown in parentheses; may be empty
	Warning bool     // counts only under --strict
	Note    bool     // never counts
	Key     bool     // the position is that of the key, not of its value
	Offset  int      // bytes into the string value at Path where the problem is
}

// Error makes a problem printable on its own, without a position.
func (p Problem) Error() string {
	s := strings.Join(p.Path, ".") + ": " + p.Text
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// problems collects them under a path.
type problems struct {
	path []string
	list *[]Problem
}

func newProblems(path ...string) problems { return problems{path: path, list: &[]Problem{}} }

// at goes down into the spec; what is reported there carries the longer path.
func (p problems) at(keys ...any) problems {
	path := append(make([]string, 0, len(p.path)+len(keys)), p.path...)
	for _, k := range keys {
		switch k := k.(type) {
		case int:
			path = append(path, strconv.Itoa(k))
		default:
			path = append(path, fmt.Sprint(k))
		}
	}
	return problems{path: path, list: p.list}
}

// siblings replaces the last key of the path.
func (p problems) siblings(keys ...any) problems {
	return problems{path: p.path[:len(p.path)-1], list: p.list}.at(keys...)
}

func (p problems) add(code, format string, args ...any) *Problem {
	*p.list = append(*p.list, Problem{Path: p.path, Code: code, Text: fmt.Sprintf(format, args...)})
	return &(*p.list)[len(*p.list)-1]
}
