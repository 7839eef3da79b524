package catalog

import (
	"encoding/json"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/argvalue"
)

// Models that write arguments often put a text where another type is wanted, and fill in
// each optional parameter. What such an argument means is read here, where there is only
// one way to; enums, patterns and bounds are held against what it means.

// absent reports whether an argument says that the parameter is not given: an empty text
// or "null", and of what a spec declares what comes to nothing, false and an empty list,
// unless it turns a default off.
func (p *Param) absent(arg any) bool {
	if p.ParamSpec.Required {
		return false
	}
	switch v := arg.(type) {
	case nil:
		return true
	case string:
		s := strings.TrimSpace(v)
		return s == "" || s == "null"
	case bool, []any:
		return p.InSpec() && !p.Writes(v) && !p.Writes(p.Preset())
	}
	return false
}

// meant is the argument with the type of the parameter, or as it is if it can be read in
// more than one way or in none.
func (p *Param) meant(arg any) any {
	switch v := arg.(type) {
	case json.Number:
		if p.Kind == String && p.role != rolePrompt {
			return v.String()
		}
	case string:
		return p.read(v)
	case []any:
		if p.Kind == List {
			return argvalue.Texts(v)
		}
	}
	return arg
}

// read is a text as the kind of the parameter has it.
func (p *Param) read(s string) any {
	var v any
	ok := false
	switch p.Kind {
	case Bool:
		v, ok = argvalue.ReadBool(s)
	case Int, Number:
		v, ok = argvalue.ReadNumber(s)
	case List:
		v, ok = argvalue.ReadList(s, p.Enum)
	}
	if ok {
		return v
	}
	return s
}
