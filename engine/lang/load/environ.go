package load

import (
	"strconv"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Variable is an environment variable that overrides a setting.
type Variable struct {
	Name string
	Key  string // the setting, from the root of a spec: "gateway.logsDb"
	kind kind
	// empty is what the setting becomes if the variable is set and has no text; "" if it is
	// as if it were not set.
	empty string
}

// Counts reports whether the variable overrides its setting in an environment, KEY=VALUE.
func (v Variable) Counts(env []string) bool {
	value, set := "", false
	for _, pair := range env {
		if text, ok := strings.CutPrefix(pair, v.Name+"="); ok {
			value, set = text, true
		}
	}
	return value != "" || set && v.empty != ""
}

// Held reports whether a diagnostic says that the variable was ignored, because it widens
// what the site locked.
func (v Variable) Held(d diagnostic.Diagnostic) bool {
	return d.Code == CodeHeld && d.File == environPrefix+v.Name
}

// environPrefix begins the name of a variable where a file is named otherwise.
const environPrefix = "env:"

// environ makes a layer of the variables that are set and count.
func environ(env []string, r *report) *node {
	values := map[string]string{}
	for _, pair := range env {
		if name, value, ok := strings.Cut(pair, "="); ok {
			values[name] = value
		}
	}
	root := newObject(pos{}, pos{})
	for _, v := range Variables {
		value, set := values[v.Name]
		if set && value == "" {
			value = v.empty
		}
		if value == "" {
			continue
		}
		at := pos{src: &source{name: environPrefix + v.Name, env: true}}
		n := &node{kind: v.kind, text: value, at: at, key: at}
		path := strings.Split(v.Key, ".")
		switch v.kind {
		case boolean:
			n.text = "true"
		case number:
			count, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				r.add(at, path, "value", "must be a whole number, not %s", text.Clip(strconv.Quote(value)))
				continue
			}
			n.text = strconv.FormatInt(count, 10)
		}
		into := root
		for _, k := range path[:len(path)-1] {
			if into.fields[k] == nil {
				into.set(k, newObject(at, at))
			}
			into = into.fields[k]
		}
		into.set(path[len(path)-1], n)
	}
	return root
}
