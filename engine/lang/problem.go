package lang

import (
	"fmt"
	"strconv"
	"strings"
)

// Problem is something wrong with a spec, at a path inside it. Who loaded the
// text turns the path into a position.
type Problem struct {
	Path    []string // keys and list indices from the root: "cli", "x", "risk", "1", "when"
	Below   []string // further keys to the place at fault, where Path names all that a person needs
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

// Problems collects them under a path.
type Problems struct {
	Path []string
	List *[]Problem
}

func NewProblems(path ...string) Problems { return Problems{Path: path, List: &[]Problem{}} }

// At goes down into the spec; what is reported there carries the longer path.
func (p Problems) At(keys ...any) Problems {
	path := append(make([]string, 0, len(p.Path)+len(keys)), p.Path...)
	for _, k := range keys {
		switch k := k.(type) {
		case int:
			path = append(path, strconv.Itoa(k))
		default:
			path = append(path, fmt.Sprint(k))
		}
	}
	return Problems{Path: path, List: p.List}
}

// Siblings replaces the last key of the path.
func (p Problems) Siblings(keys ...any) Problems {
	return Problems{Path: p.Path[:len(p.Path)-1], List: p.List}.At(keys...)
}

func (p Problems) Add(code, format string, args ...any) *Problem {
	*p.List = append(*p.List, Problem{Path: p.Path, Code: code, Text: fmt.Sprintf(format, args...)})
	return &(*p.List)[len(*p.List)-1]
}
