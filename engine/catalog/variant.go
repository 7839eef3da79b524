package catalog

import (
	"encoding/json"
	"slices"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/catalog/versionpatch"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/version"
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
		if !versionpatch.Check(patch, cli.CLISpec.Params.Keys(), at) {
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

// patched is the CLI with a patch over its spec.
func (c *CLI) patched(patch json.RawMessage, vetted bool, found *[]lang.Problem) *CLI {
	spec, err := versionpatch.Apply(c.Name, c.CLISpec, patch)
	if err != nil {
		*found = append(*found, lang.Problem{Path: []string{"cli", c.Name}, Code: "value", Text: err.Error(), Key: true})
	}
	return compileCLI(c.Name, spec, c.globals, vetted, lang.Problems{Path: []string{"cli", c.Name}, List: found})
}
