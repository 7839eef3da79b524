// Package versionpatch lays what a spec says of a range of versions over what it says of all
// of them.
//
// It hides which fields may differ. It must not know which versions there are, nor compile
// what comes of it.
package versionpatch

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/layers"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// patchable are the fields that may differ between versions. What a program is, where
// it comes from and what its parameters are called stays the same.
var patchable = []string{"argv", "prompt", "params", "session", "output", "success", "exits", "failure", "env", "timeouts", "risk", "mcp", "access"}

// Check checks that a patch changes only what can differ between versions; ok is false
// if it is none. The params are those of the spec, by name.
func Check(patch json.RawMessage, params []string, ps lang.Problems) (ok bool) {
	var fields, changed lang.Map[json.RawMessage]
	if json.Unmarshal(patch, &fields) != nil || !fields.Given() {
		ps.Add("shape", "must be an object")
		return false
	}
	for _, key := range fields.Keys() {
		if !slices.Contains(patchable, key) {
			problem := ps.At(key).Add("version", "%s is the same in all versions", key)
			problem.Hint, problem.Key = "these may differ: "+strings.Join(patchable, ", "), true
		}
	}
	if raw, ok := fields.Get("params"); !ok || json.Unmarshal(raw, &changed) != nil {
		return true
	}
	for _, name := range changed.Keys() {
		if !slices.Contains(params, name) {
			problem := ps.At("params", name).Add("version", "no param is called %q", name)
			problem.Hint, problem.Key = "a param that not all versions have belongs in params, with since or until", true
			if near := text.DidYouMean(name, params); near != "" {
				problem.Hint = near
			}
		}
	}
	return true
}

// Apply is the spec with a patch over it, without its patches and examples; without the patch
// too, if that cannot be laid over it. The name is that of the CLI.
func Apply(name string, spec lang.CLISpec, patch json.RawMessage) (lang.CLISpec, error) {
	spec.Versions, spec.Examples = lang.Map[json.RawMessage]{}, nil
	var patched lang.CLISpec
	if err := json.Unmarshal(overlay(text.MustJSON(spec), patch, []string{"cli", name}), &patched); err != nil {
		return spec, err
	}
	return patched, nil
}

// overlay lays one JSON value over another, as a layer lies over one below: objects
// field by field, in the order of base and then of patch; some lists are added to; all else
// is replaced.
func overlay(base, patch json.RawMessage, path []string) json.RawMessage {
	if sum, ok := layers.AddJSON(path, base, patch); ok {
		return sum
	}
	var below, above lang.Map[json.RawMessage]
	if json.Unmarshal(base, &below) != nil || json.Unmarshal(patch, &above) != nil || !below.Given() || !above.Given() {
		return patch
	}
	var out lang.Map[json.RawMessage]
	for key, value := range below.All() {
		if over, ok := above.Get(key); ok {
			value = overlay(value, over, append(path[:len(path):len(path)], key))
		}
		out.Set(key, value)
	}
	for key, value := range above.All() {
		if _, old := below.Get(key); !old {
			out.Set(key, value)
		}
	}
	return text.MustJSON(out)
}
