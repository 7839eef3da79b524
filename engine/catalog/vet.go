package catalog

import (
	"maps"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Judge says what each policy makes of a call, by its name.
type Judge func(*Call) map[string]string

// Vet runs the checks that need no CLI but take longer than a start should: the
// examples, the listing of every tool, and the proof that no value of any
// parameter can stand as an option. Without a judge the verdicts of examples are not
// looked at.
func Vet(c *Catalog, judge Judge) []lang.Problem {
	ps := lang.NewProblems()
	for _, cli := range c.CLIs {
		at := ps.At("cli", cli.Name)
		for _, line := range Lint(cli.Describe()) {
			at.Add("portable", "tool %s: %s", cli.Tool(), line).Key = true
		}
		proven(cli, at)
		for _, alt := range cli.variants {
			proven(alt.cli(), at.At("versions", alt.key))
		}
		for i := range cli.Examples {
			exam{catalog: c, judge: judge, ex: cli.Examples[i], ps: at.At("examples", i)}.run(cli)
		}
	}
	for _, o := range c.Optimizers {
		o.vet(ps.At("optimizer", o.Name))
	}
	return *ps.List
}

// proven reports parameters of which a value can stand as an option.
func proven(c *CLI, ps lang.Problems) {
	for _, proof := range Proofs(c) {
		if proof.Safe {
			continue
		}
		where := ps
		if _, ok := c.CLISpec.Params.Get(proof.Param); ok {
			where = ps.At("params", proof.Param)
		}
		where.Add("injection", "a value can stand as an option: %s", proof.How).Key = true
	}
}

// Proof shows what becomes of a hostile value of one parameter.
type Proof struct {
	Param string `json:"param"`
	Value string `json:"value"`
	How   string `json:"how"`
	Safe  bool   `json:"safe"`
}

// hostile values try to be read as an option, alone or out of a list or template.
var hostile = []string{"--evil", "-e", "--evil=x", `"--evil`, "x,--evil", "x --evil", "x\n--evil"}

// Proofs tries hostile values on every parameter that takes free text, the prompt
// and the session id included, in every mode. The one told is the value "--evil",
// or the first that did harm.
func Proofs(c *CLI) []Proof {
	var proofs []Proof
	for _, p := range c.params {
		if p.Kind == Bool || p.Kind == Int || p.Kind == Number || p.role != "" && p.role != rolePrompt && p.role != roleSession {
			continue
		}
		proof := prove(c, p, hostile[0])
		for _, value := range hostile[1:] {
			if other := prove(c, p, value); proof.Safe && !other.Safe {
				proof = other
			}
		}
		proofs = append(proofs, proof)
	}
	return proofs
}

// prove renders the command with the value in every mode that the parameter
// applies to.
func prove(c *CLI, p *Param, value string) Proof {
	proof := Proof{Param: p.Name, Value: value, Safe: true}
	ways := map[string]bool{}
	for _, mode := range modes {
		if _, ok := c.argv[mode]; !ok || !p.Applies(mode) {
			continue
		}
		call := c.probe(p, mode, nil)
		switch {
		case p.role == rolePrompt:
			call.Prompt = value
		case p.role == roleSession && c.id.MatchString(value):
			call.SessionID = value
		case p.role == roleSession:
			ways["refused: not an id"] = true
			continue
		case p.checkText(value) != "":
			ways["refused: "+p.checkText(value)] = true
			continue
		case p.Kind == List:
			call.values[p.Name] = []string{value}
		default:
			call.values[p.Name] = value
		}
		way, safe := neutralised(call, value)
		ways[way] = true
		proof.Safe = proof.Safe && safe
	}
	proof.How = strings.Join(slices.Sorted(maps.Keys(ways)), "; ")
	return proof
}

// with is the CLI with one parameter exchanged.
func (c *CLI) with(p *Param) *CLI {
	out := *c
	out.params, out.byName = slices.Clone(c.params), maps.Clone(c.byName)
	for i, old := range out.params {
		if old.Name == p.Name {
			out.params[i] = p
		}
	}
	out.byName[p.Name] = p
	return &out
}

// neutralised says by what the value is kept from being an option.
func neutralised(c *Call, value string) (way string, safe bool) {
	cmd, refused := c.Command("/private")
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
