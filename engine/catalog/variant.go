package catalog

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/layers"
	"github.com/llm-cli-gateway/gateway/engine/lang/version"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Variant is the CLI as it is in a range of its versions.
type Variant struct {
	Key      string // the range as it is written
	Versions version.Range
	// cli is compiled at its first use: most versions that a spec distinguishes are not
	// installed.
	cli func() *CLI
}

// CLI is the CLI in this range.
func (v Variant) CLI() *CLI { return v.cli() }

// Ranged reports whether anything about the CLI depends on its installed version.
func (c *CLI) Ranged() bool { return c.ranged }

// Installed is the version that the CLI was chosen for by At; it may be unknown.
func (c *CLI) Installed() version.Version { return c.installed }

// At is the CLI as it is in the version that is installed. Of an unknown one (anything
// that is no version) the newest is assumed, as it is where nobody asks.
func (c *CLI) At(installed string) *CLI {
	if !c.ranged || c.chosen {
		return c
	}
	out := *c
	v, _ := version.Parse(installed)
	for _, alt := range c.variants {
		if alt.Versions.Has(v) {
			out = *alt.cli()
		}
	}
	out.installed, out.chosen, out.ranged, out.sum = v, true, true, c.sum
	return &out
}

// Changes are the ranges whose part of the spec holds for a version.
func (c *CLI) Changes(installed string) (ranges []string) {
	v, _ := version.Parse(installed)
	for _, alt := range c.variants {
		if alt.Versions.Has(v) {
			ranges = append(ranges, alt.Key)
		}
	}
	return ranges
}

// Variants are the CLI in each range of versions that the spec distinguishes, in its order.
func (c *CLI) Variants() []Variant { return slices.Clone(c.variants) }

// patchable are the fields that may differ between versions. What a program is, where
// it comes from and what its parameters are called stays the same.
var patchable = []string{"argv", "prompt", "params", "session", "output", "success", "exits", "failure", "env", "timeouts", "risk", "mcp", "access"}

// versions reads what depends on the version: ranges of parameters, and variants.
func (c compiler) versions(ps lang.Problems) {
	cli := c.cli
	for _, p := range cli.params {
		cli.ranged = cli.ranged || !p.versions.All()
	}
	if cli.Versions.Len() > 0 {
		cli.ranged = true
	}
	if cli.ranged && len(cli.Version.Argv) == 0 {
		problem := ps.Add("version", "version-dependent parts never apply, because the version is unknown")
		problem.Hint, problem.Key = "add version: {argv: ...}", true
	}
	for key, patch := range cli.Versions.All() {
		at := ps.At("versions", key)
		s, ok := version.ParseRange(key, at)
		if !ok {
			continue
		}
		for _, other := range cli.variants {
			if other.Versions.Meets(s) {
				at.Add("version", "overlaps with %q", other.Key).Key = true
			}
		}
		if !c.patch(patch, at) {
			continue
		}
		alt := Variant{Key: key, Versions: s, cli: sync.OnceValue(func() *CLI { return cli.patched(patch, c.vetted, &[]lang.Problem{}) })}
		if !c.vetted {
			var found []lang.Problem
			compiled := cli.patched(patch, false, &found)
			alt.cli = func() *CLI { return compiled }
			for _, p := range found {
				if !slices.ContainsFunc(*ps.List, func(q lang.Problem) bool { return q.Error() == p.Error() }) {
					p.Path = slices.Concat(at.Path, p.Path[len(ps.Path):])
					*ps.List = append(*ps.List, p)
				}
			}
		}
		cli.variants = append(cli.variants, alt)
	}
}

// patch checks that a patch changes only what can differ between versions; ok is false
// if it is none.
func (c compiler) patch(patch json.RawMessage, ps lang.Problems) (ok bool) {
	var fields, params lang.Map[json.RawMessage]
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
	if raw, ok := fields.Get("params"); !ok || json.Unmarshal(raw, &params) != nil {
		return true
	}
	for _, name := range params.Keys() {
		if _, ok := c.cli.CLISpec.Params.Get(name); !ok {
			problem := ps.At("params", name).Add("version", "no param is called %q", name)
			problem.Hint, problem.Key = "a param that not all versions have belongs in params, with since or until", true
			if near := text.DidYouMean(name, c.cli.CLISpec.Params.Keys()); near != "" {
				problem.Hint = near
			}
		}
	}
	return true
}

// patched is the CLI with a patch over its spec.
func (c *CLI) patched(patch json.RawMessage, vetted bool, found *[]lang.Problem) *CLI {
	base := c.CLISpec
	base.Versions, base.Examples = lang.Map[json.RawMessage]{}, nil
	var spec lang.CLISpec
	if err := json.Unmarshal(overlay(text.MustJSON(base), patch, []string{"cli", c.Name}), &spec); err != nil {
		*found = append(*found, lang.Problem{Path: []string{"cli", c.Name}, Code: "value", Text: err.Error(), Key: true})
		spec = base
	}
	return compileCLI(c.Name, spec, c.globals, vetted, lang.Problems{Path: []string{"cli", c.Name}, List: found})
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
