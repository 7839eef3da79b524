// Package check makes the slower checks of compiled specs: that their examples hold, that
// clients can read the listings, and that no value of a caller can stand as
// an option. It also says what no example shows.
//
// It renders and decodes as a call does, and hides nothing but how it compares. It must not
// start a program, nor know how specs are written: its findings name keys, not places.
package check

import (
	"maps"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/optimize"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Vet runs the checks that need no CLI but take longer than a start should: the
// examples, the listing of every tool, and the proof that no value of any
// parameter can be read as an option.
func Vet(c *catalog.Catalog) []lang.Problem {
	ps := lang.NewProblems()
	for _, cli := range c.CLIs {
		at := ps.At("cli", cli.Name)
		for _, line := range Lint(cli.Describe()) {
			at.Add("portable", "tool %s: %s", cli.Tool(), line).Key = true
		}
		proven(cli, cli.Try, at)
		for _, variant := range cli.Variants() {
			other := variant.CLI()
			proven(other, other.Try, at.At("versions", variant.Key))
		}
		for i := range cli.Examples {
			exampleRun{catalog: c, ex: cli.Examples[i], ps: at.At("examples", i)}.run(cli)
		}
	}
	for _, o := range c.Optimizers {
		optimizerExamples(o, ps.At("optimizer", o.Name))
	}
	return *ps.List
}

// proven reports parameters of which a value can be read as an option.
func proven(c *catalog.CLI, probe probe, ps lang.Problems) {
	for _, proof := range proofs(c, probe) {
		if proof.Safe {
			continue
		}
		where := ps
		if _, ok := c.CLISpec.Params.Get(proof.Param); ok {
			where = ps.At("params", proof.Param)
		}
		where.Add("injection", "a value can be read as an option: %s", proof.How).Key = true
	}
}

// Proof shows what becomes of a hostile value of one parameter.
type Proof struct {
	Param string `json:"param"`
	Value string `json:"value"`
	How   string `json:"how"`
	Safe  bool   `json:"safe"`
}

// Proofs tries hostile values on every parameter that takes free text, the prompt
// and the session id included, in every mode. The one reported is the value "--evil",
// or the first that did harm.
func Proofs(c *catalog.CLI) []Proof { return proofs(c, c.Try) }

// probe renders a call in which a parameter has a value; see catalog.CLI.Try.
type probe func(p *catalog.Param, mode lang.Mode, value string) (catalog.Command, catalog.Violations)

func proofs(c *catalog.CLI, probe probe) (all []Proof) {
	for _, p := range c.FreeText() {
		proof := prove(c, probe, p, catalog.HostileValues[0])
		for _, value := range catalog.HostileValues[1:] {
			if other := prove(c, probe, p, value); proof.Safe && !other.Safe {
				proof = other
			}
		}
		all = append(all, proof)
	}
	return all
}

// prove renders the command with the value in every mode that the parameter
// applies to.
func prove(c *catalog.CLI, probe probe, p *catalog.Param, value string) Proof {
	proof := Proof{Param: p.Name, Value: value, Safe: true}
	ways := map[string]bool{}
	for _, mode := range c.Modes() {
		if !p.Applies(mode) {
			continue
		}
		cmd, refused := probe(p, mode, value)
		way, safe := neutralised(cmd, refused, value)
		ways[way] = true
		proof.Safe = proof.Safe && safe
	}
	proof.How = strings.Join(slices.Sorted(maps.Keys(ways)), "; ")
	return proof
}

// neutralised says by what the value is kept from being an option.
func neutralised(cmd catalog.Command, refused catalog.Violations, value string) (way string, safe bool) {
	if refused != nil {
		return "refused: " + refused[0].Text, true
	}
	ended := false
	for _, word := range cmd.Args {
		switch {
		case word == "--":
			ended = true
		case !strings.Contains(word, strings.TrimLeft(value, `"`)):
		case word == value && !ended && strings.HasPrefix(value, "-"):
			return word, false
		case word == value && ended:
			return `after "--"`, true
		default:
			return text.Abbreviate(word), true
		}
	}
	if cmd.Stdin != nil && *cmd.Stdin == value {
		return "over standard input", true
	}
	return "not in the command line", true
}

// optimizerExamples runs the examples of an optimizer.
func optimizerExamples(o *optimize.Optimizer, ps lang.Problems) {
	for i, ex := range o.Examples {
		at := ps.At("examples", i)
		if got := o.Apply(ex.In); got != ex.Out {
			at.At("out").Add("example", "want %q, got %q", text.Abbreviate(ex.Out), text.Abbreviate(got))
		}
	}
}
