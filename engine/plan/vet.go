package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Vet runs the checks that need no CLI but take longer than a start should: the
// examples, the listing of every tool, and the proof that no value of any
// parameter can stand as an option.
func (c *Catalog) Vet() []Problem {
	ps := newProblems()
	for _, cli := range c.CLIs {
		at := ps.at("cli", cli.Name)
		for _, line := range cli.Describe().Lint() {
			at.add("portable", "tool %s: %s", cli.Tool(), line).Key = true
		}
		cli.proven(at)
		for _, alt := range cli.variants {
			alt.cli().proven(at.at("versions", alt.key))
		}
		for i := range cli.Examples {
			cli.example(i, at.at("examples", i))
		}
	}
	return *ps.list
}

// proven reports parameters of which a value can stand as an option.
func (c *CLI) proven(ps problems) {
	for _, proof := range c.Proofs() {
		if proof.Safe {
			continue
		}
		where := ps
		if _, ok := c.CLISpec.Params.Get(proof.Param); ok {
			where = ps.at("params", proof.Param)
		}
		where.add("injection", "a value can stand as an option: %s", proof.How).Key = true
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
func (c *CLI) Proofs() []Proof {
	var proofs []Proof
	for _, p := range c.params {
		if p.Kind == Bool || p.Kind == Int || p.Kind == Number || p.role != "" && p.role != rolePrompt && p.role != roleSession {
			continue
		}
		proof := c.prove(p, hostile[0])
		for _, value := range hostile[1:] {
			if other := c.prove(p, value); proof.Safe && !other.Safe {
				proof = other
			}
		}
		proofs = append(proofs, proof)
	}
	return proofs
}

// prove renders the command with the value in every mode that the parameter
// applies to.
func (c *CLI) prove(p *Param, value string) Proof {
	proof := Proof{Param: p.Name, Value: value, Safe: true}
	ways := map[string]bool{}
	for _, mode := range modes {
		if _, ok := c.argv[mode]; !ok || !p.applies(mode) {
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
		way, safe := call.neutralised(value)
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
func (c *Call) neutralised(value string) (way string, safe bool) {
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
			return abbreviate(word), true
		}
	}
	if cmd.Stdin != nil && *cmd.Stdin == value {
		return "over standard input", true
	}
	return "not in the command line", true
}

// example runs one example: arguments to command line, and output to answer.
func (c *CLI) example(i int, ps problems) {
	ex := c.Examples[i]
	in, err := json.Marshal(ex.In)
	if err != nil {
		ps.at("in").add("example", "cannot be written as JSON: %v", err)
		return
	}
	// An id that the gateway would make stands in an example as {id}.
	call, violations := c.At(ex.Version).Bind(in, nil, func() string { return "{id}" })
	for _, v := range violations {
		at := ps.at("in")
		if _, ok := ex.In[v.Param]; ok {
			at = at.at(v.Param)
		}
		at.add("example", "%s", Violations{v}.Error())
	}
	if violations != nil {
		return
	}
	call.Equip(pretended(call))
	cmd, violations := call.Command(Anywhere)
	for _, v := range violations {
		ps.at("in").add("example", "%s", Violations{v}.Error())
	}
	if violations != nil {
		return
	}
	if ex.Argv != nil {
		if text := differs(ex.Argv, cmd.Args); text != "" {
			ps.add("example", "%s", text)
		}
	}
	if got := deref(cmd.Stdin); ex.Stdin != nil && *ex.Stdin != got {
		ps.at("stdin").add("example", "want %q, got %q", abbreviate(*ex.Stdin), abbreviate(got))
	}
	for k, name := range ex.Env {
		if _, ok := cmd.Env[name]; !ok {
			ps.at("env", k).add("example", "%s is not set; set are %s", name, strings.Join(slices.Sorted(maps.Keys(cmd.Env)), ", "))
		}
	}
	if ex.Out != nil {
		c.decodes(call, ex, ps.at("out"))
	}
}

// pretended are surroundings in which every server that a call names can be had: its
// program has its name.
func pretended(call *Call) Surroundings {
	names, _ := call.values[paramServers].([]string)
	servers := Map[ServerSpec]{keys: names, by: map[string]ServerSpec{}}
	for _, name := range names {
		servers.by[name] = ServerSpec{Command: name}
	}
	return Surroundings{Servers: servers, Find: func(bin string) (string, error) { return bin, nil },
		Set: func(string) bool { return true }, Own: func([]OwnSpec) ([]string, error) { return names, nil }}
}

// differs points to the first differing word.
func differs(want, got []string) string {
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(want):
			return fmt.Sprintf("argv has more words than wanted: word %d is %q", i+1, got[i])
		case i >= len(got):
			return fmt.Sprintf("argv ends early: want word %d %q", i+1, want[i])
		case want[i] != got[i]:
			return fmt.Sprintf("argv differs at word %d: want %q, got %q", i+1, want[i], got[i])
		}
	}
	return ""
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// decodes compares what captured output decodes to.
func (c *CLI) decodes(call *Call, ex ExampleSpec, ps problems) {
	answer, err := call.Decode(Run{Stdout: strings.NewReader(ex.Stdout), Stderr: ex.Stderr, Exit: ex.Exit})
	if err != nil {
		ps.add("example", "cannot be read: %v", err)
		return
	}
	watched := c.Progress()
	watched.Write(Stderr, []byte(ex.Stderr))
	watched.Write(Stdout, []byte(ex.Stdout))
	class, message := "", ""
	if answer.Failure != nil {
		class, message = answer.Failure.Class, answer.Failure.Message
	}
	for _, f := range []struct {
		key  string
		want *string
		got  string
	}{{"progress", ex.Out.Progress, watched.Tail()}, {"text", ex.Out.Text, answer.Text}, {"session", ex.Out.Session, answer.SessionID}, {"model", ex.Out.Model, answer.Model}, {"class", ex.Out.Class, class}, {"error", ex.Out.Error, message}} {
		if f.want != nil && *f.want != f.got {
			ps.at(f.key).add("example", "want %q, got %q", abbreviate(*f.want), abbreviate(f.got))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ex.Out.Usage)) {
		if want, got := ex.Out.Usage[name], answer.Usage[name]; want != got {
			ps.at("usage", name).add("example", "want %d, got %d", want, got)
		}
	}
	if ex.Out.Cost != nil && (answer.CostUSD == nil || *ex.Out.Cost != *answer.CostUSD) {
		got := "none"
		if answer.CostUSD != nil {
			got = fmt.Sprint(*answer.CostUSD)
		}
		ps.at("cost").add("example", "want %v, got %s", *ex.Out.Cost, got)
	}
}
