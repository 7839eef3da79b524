package access

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Values judges the values of a parameter, compiled.
type Values struct {
	known  bool // the spec says something about the parameter
	always Level
	rules  []rule
	split  string
}

// rule is what values ask for that match as a whole.
type rule struct {
	match  *regexp.Regexp
	level  Level
	server bool // that of the MCP server that the first group names
}

// serverLevel stands for the level of a server in a spec.
const serverLevel = "server"

// CompileValues compiles what a parameter says of its values.
func CompileValues(p lang.ParamSpec, ps lang.Problems) Values {
	v := Values{split: p.Split, known: !p.Safe.IsZero() || !p.Access.IsZero(), always: Full}
	add := func(pattern, level string, at lang.Problems) {
		re, err := regexp.Compile(`^(?:` + pattern + `)$`)
		switch {
		case err != nil:
			at.Add("regexp", "%s", strings.TrimPrefix(err.Error(), "regexp: "))
			return
		case level == serverLevel && re.NumSubexp() == 0:
			at.Add("regexp", "%q has no group for the name of the server", pattern).Hint = "put the name in ( )"
		}
		r := rule{match: re, server: level == serverLevel}
		if !r.server {
			r.level = Named(level)
		}
		v.rules = append(v.rules, r)
	}
	for i, pattern := range p.Safe.Values {
		add(pattern, "", ps.At("safe", i))
	}
	for pattern, level := range p.Access.Of.All() {
		add(pattern, level, ps.At("access", pattern))
	}
	switch {
	case p.Safe.All && !p.Access.IsZero():
		ps.At("safe").Add("shape", "safe: true and access contradict each other").Key = true
	case p.Safe.All:
		v.always = None
	case p.Access.Always != "":
		v.always = Named(p.Access.Always)
	}
	return v
}

// Known reports whether the spec says what the parameter asks for.
func (v Values) Known() bool { return v.known }

// Ask is what a value asks for: a string, a number, true, or a list of strings. The level of
// an MCP server comes from servers.
func (v Values) Ask(name string, value any, servers func(name string) Level) Ask {
	list, ok := value.([]string)
	if !ok {
		text := fmt.Sprint(value)
		return Ask{v.level(text, servers), name + suffix(text)}
	}
	most := Ask{}
	for _, item := range list {
		for _, element := range Split(item, v.split) {
			if level := v.level(element, servers); level > most.Level {
				most = Ask{level, name + suffix(element)}
			}
		}
	}
	return most
}

func suffix(value string) string {
	if value == "true" {
		return ""
	}
	return fmt.Sprintf(" %q", value)
}

func (v Values) level(text string, servers func(name string) Level) Level {
	for _, r := range v.rules {
		m := r.match.FindStringSubmatch(text)
		switch {
		case m == nil:
		case r.server && len(m) > 1:
			return servers(m[1])
		default:
			return r.level
		}
	}
	return v.always
}

// Split divides an element of a list as its program does: at any of the characters, unless
// they stand in parentheses. White space around what comes out does not count, and nothing
// is left out but what is empty. An element whose parentheses do not close stays whole, so
// that it is like no name that is known.
func Split(element, at string) (parts []string) {
	depth, start := 0, 0
	put := func(text string) {
		if text = strings.TrimFunc(text, blank); text != "" {
			parts = append(parts, text)
		}
	}
	for i, c := range element {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth == 0 && strings.ContainsRune(at, c):
			put(element[start:i])
			start = i + len(string(c))
		}
		if depth < 0 {
			break
		}
	}
	if depth != 0 {
		return []string{strings.TrimFunc(element, blank)}
	}
	put(element[start:])
	return parts
}

func blank(c rune) bool {
	return unicode.IsSpace(c) || unicode.IsControl(c) || c == '\ufeff' || c == '\u200b'
}

// Name is an element up to its parenthesis, as in Bash for Bash(git *).
func Name(element string) string {
	name, _, _ := strings.Cut(element, "(")
	return strings.TrimFunc(name, blank)
}
