package load

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// checker holds a merged tree against the shapes of the schema and says, for each
// thing that is wrong, what is wanted at that place.
type checker struct {
	r    *report
	root *node
	// excused reports whether a field of the object at path may be missing because a
	// file that could not be read speaks of it.
	excused func(path []string) bool
}

func (c checker) check(n *node, s *shape, path []string) {
	if n.kind == bad {
		return
	}
	if n.kind == number && !countable(n.text) {
		c.r.add(n.at, path, "value", "is more than can be counted")
		return
	}
	var fitting []*arm
	for _, a := range s.arms {
		if a.kinds&n.kind != 0 {
			fitting = append(fitting, a)
		}
	}
	if len(fitting) == 0 {
		c.wrongKind(n, s, path)
		return
	}
	switch n.kind {
	case object:
		c.object(n, fitting[0], path)
	case list:
		c.list(n, fitting[0], path)
	default:
		c.scalar(n, s, fitting, path)
	}
}

// countable reports whether a number fits the types that specs are decoded into.
func countable(number string) bool {
	if strings.ContainsAny(number, ".eE") {
		_, err := strconv.ParseFloat(number, 64)
		return err == nil
	}
	_, err := strconv.ParseInt(number, 10, 64)
	return err == nil
}

func (c checker) wrongKind(n *node, s *shape, path []string) {
	wanted, choice := kind(0), s.says != ""
	for _, a := range s.arms {
		wanted |= a.kinds
		choice = choice && a.fixed
	}
	if choice || wanted == 0 {
		c.r.add(n.at, path, "value", "%s", s.says)
		return
	}
	want := "must be " + wanted.String()
	if s.says != "" && wanted&(list|object) != 0 {
		want = s.says
	}
	d := c.r.add(n.at, path, "type", "%s, not %s", want, n.kind)
	switch {
	case wanted&textKind == 0:
	case n.kind&(number|boolean) != 0:
		d.Hint = fmt.Sprintf("quote it: %q", cmp.Or(n.at.word(), n.text))
	}
}

func (c checker) scalar(n *node, s *shape, fitting []*arm, path []string) {
	var failed []string
	choices := []string{}
	for _, a := range fitting {
		if a.fixed {
			if n.text == a.exact {
				return
			}
			choices = append(choices, a.exact)
			continue
		}
		wants := []string{}
		for _, t := range a.tests {
			if !t.ok(n) {
				wants = append(wants, t.want)
			}
		}
		if len(wants) == 0 {
			return
		}
		if failed == nil {
			failed = wants
		}
	}
	message := s.says
	if message == "" && len(failed) > 0 {
		message = "must " + failed[0]
	}
	switch {
	case message == "":
		message = "must be " + text.Or(choices)
	case s.says == "" && len(choices) > 0:
		message = "must be " + text.Or(choices) + ", or " + failed[0]
	}
	d := c.r.add(n.at, path, "value", "%s", message)
	switch {
	case len(choices) > 0 && n.kind == textKind:
		d.Hint = didYouMean(n.text, choices)
	case strings.HasPrefix(message, "must have at most"):
		d.Hint = fmt.Sprintf("there are %d", utf8.RuneCountInString(n.text))
	}
}

func (c checker) list(n *node, a *arm, path []string) {
	if len(n.items) < len(a.first) {
		c.r.add(n.at, path, "value", "must not be empty")
	}
	for i, item := range n.items {
		s := a.rest
		if i < len(a.first) {
			s = a.first[i]
		}
		if s != nil {
			c.check(item, s, append(path[:len(path):len(path)], strconv.Itoa(i)))
		}
	}
}

func (c checker) object(n *node, a *arm, path []string) {
	if a.fields == nil { // _
		return
	}
	meant := map[string]bool{} // fields of which there is a misspelling
	for _, k := range n.keys {
		at := append(path[:len(path):len(path)], k)
		v := n.fields[k]
		f, known := a.fields[k]
		switch {
		case known:
			c.check(v, f.shape, at)
		case a.rest != nil && a.keys.MatchString(k):
			c.check(v, a.rest, at)
		case a.rest != nil && len(a.fields) == 0:
			d := c.r.add(v.key, at, "name", "bad name %q", k)
			if d.Hint = a.about; d.Hint == "" {
				d.Hint = "names match " + a.keys.String()
			}
		case a.now[k] != "":
			meant[a.now[k]] = true
			c.r.add(v.key, at, "renamed-field", "%q is named %q now", k, a.now[k]).Hint = "`gateway fmt --fix` renames it"
		case !a.open:
			c.unknown(n, a, k, at, meant)
		}
	}
	c.missing(n, a, path, meant)
}

func (c checker) unknown(n *node, a *arm, key string, path []string, meant map[string]bool) {
	d := c.r.add(n.fields[key].key, path, "unknown-field", "unknown field %q", key)
	var free []string // a field that is there is not what was meant
	for _, name := range a.names {
		if n.fields[name] == nil {
			free = append(free, name)
		}
	}
	if d.Hint = didYouMean(key, free); d.Hint == "" {
		d.Hint = didYouMean(key, a.names)
	}
	for _, name := range a.names {
		if d.Hint == fmt.Sprintf("did you mean %q?", name) {
			meant[name] = true
		}
	}
}

func (c checker) missing(n *node, a *arm, path []string, meant map[string]bool) {
	if n.hazy {
		return
	}
	var names []string
	for _, name := range a.names {
		if a.fields[name].required && n.fields[name] == nil && !meant[name] {
			names = append(names, name)
		}
	}
	if len(names) > 0 && c.excused(path) {
		n.hazy = true
		return
	}
	if hint := c.meantAnother(n, a, path, names); hint != "" {
		c.r.add(n.key, path, "missing-field", "missing required field %q", names[0]).Hint = hint
		return
	}
	for _, name := range names {
		d := c.r.add(n.key, path, "missing-field", "missing required field %q", name)
		if p, deleted := n.gone[name]; deleted {
			d.Line, d.Col = p.lineCol()
			d.File, d.Hint = p.src.name, "null removes it here"
		}
	}
}

// meantAnother is a hint for an object that has nothing of what it must have, like a
// patch, beside one of nearly the same name that another file made.
func (c checker) meantAnother(n *node, a *arm, path, missing []string) string {
	if len(missing) == 0 || len(path) == 0 {
		return ""
	}
	for name, f := range a.fields {
		if f.required && !slices.Contains(missing, name) {
			return ""
		}
	}
	table, _ := c.root.lookup(path[:len(path)-1])
	var others []string
	for _, k := range table.keys {
		if table.fields[k].key.src != n.key.src {
			others = append(others, k)
		}
	}
	return didYouMean(path[len(path)-1], others)
}

// quiet leaves out what stands inside an unknown field: it is only an echo of that.
func quiet(diags []diagnostic.Diagnostic) []diagnostic.Diagnostic {
	var unknown []string
	for _, d := range diags {
		if d.Code == "unknown-field" {
			unknown = append(unknown, d.File+"\n"+d.Path+".")
		}
	}
	return slices.DeleteFunc(diags, func(d diagnostic.Diagnostic) bool {
		return d.Code != "unknown-field" && slices.ContainsFunc(unknown, func(u string) bool {
			return strings.HasPrefix(d.File+"\n"+d.Path+".", u)
		})
	})
}
