package reference

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// cli describes one CLI.
func (w *writer) cli(cli *catalog.CLI) {
	w.heading(escape(cli.DisplayName()))
	w.line("")
	w.line(escape(sentence(cli.Doc)))
	w.facts(cli)
	t := cli.Describe()
	w.line("")
	w.line("### `" + cli.Tool() + "`, and `" + cli.AsyncTool() + "` as a job")
	w.parameters(t, cli)
	w.models(cli)
	w.failures(cli)
	w.risks(cli)
}

// facts are what can be said in a line each.
func (w *writer) facts(cli *catalog.CLI) {
	rows := [][]string{{"", ""}}
	add := func(what, value string) {
		if value != "" {
			rows = append(rows, []string{what, value})
		}
	}
	add("program", code(cli.Bin))
	if cli.Install != "" {
		add("installed by", code(cli.Install))
	}
	add("prompt", promptFacts(cli))
	add("sessions", sessionFacts(cli))
	add("access", escape(strings.Join(cli.LevelFacts(), "; ")))
	add("environment variables passed", codes(cli.Env.Pass))
	add("environment variables set", codes(cli.Env.Set.Keys()))
	add("environment variables withheld", codes(cli.Env.Drop))
	add("time limits", limits(cli.Timeouts))
	add("on cancellation", cli.OnCancel)
	if cli.Concurrency > 0 {
		add("concurrent calls", strconv.Itoa(cli.Concurrency))
	}
	add("signs of a login", codes(append(append([]string{}, cli.Login.Env...), cli.Login.Files...)))
	add("log in", escape(cli.Login.Hint))
	add("upgrade", upgradeFacts(cli.CLISpec.Upgrade))
	add("version-specific parts", codes(cli.Versions.Keys()))
	w.table(rows)
}

func promptFacts(cli *catalog.CLI) string {
	p := cli.CLISpec.Prompt
	parts := []string{"by " + carrier(p)}
	if p.MaxBytes > 0 {
		parts = append(parts, fmt.Sprintf("at most %d bytes", p.MaxBytes))
	}
	if p.ExcerptBytes > 0 {
		parts = append(parts, fmt.Sprintf("from %d bytes on, its model sees only an excerpt", p.ExcerptBytes))
	}
	for _, e := range p.Expands {
		parts = append(parts, code(e)+" is expanded")
	}
	if p.Guard != "" {
		parts = append(parts, "prompts that start with a slash are not run as commands")
	}
	return strings.Join(parts, "; ")
}

func sessionFacts(cli *catalog.CLI) string {
	var parts []string
	if cli.Creates() {
		parts = append(parts, "started with an id from the gateway")
	} else if cli.Converses() {
		parts = append(parts, "started with an id of its own")
	}
	if cli.Converses() {
		parts = append(parts, "continued by id")
	}
	if len(cli.Session.Latest) > 0 {
		parts = append(parts, "the latest one of the directory can be continued")
	}
	if cli.Session.Scope != "" {
		parts = append(parts, "bound to their directory")
	}
	return strings.Join(parts, "; ")
}

func upgradeFacts(u lang.UpgradeSpec) string {
	step := func(s lang.StepSpec) string {
		if s.Bin != "" {
			return code(s.Bin + " " + strings.Join(s.Argv, " "))
		}
		return "by itself, " + code(strings.Join(s.Argv, " "))
	}
	var parts []string
	if len(u.Latest.Argv) > 0 {
		parts = append(parts, "to the latest version: "+step(u.Latest))
	}
	if len(u.Target.Argv) > 0 {
		parts = append(parts, "to a given version: "+step(u.Target))
	}
	if u.Where.Len() > 0 {
		parts = append(parts, "specific to installations by "+strings.Join(u.Where.Keys(), ", "))
	}
	return strings.Join(parts, "; ")
}

// property is a parameter in the JSON Schema of a tool.
type property struct {
	Type        types
	Description string
	Enum        []string
	Items       struct{ Enum []string }
}

// types are those that a value may have: one name in JSON, or a list of them.
type types []string

func (t *types) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = types{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// parameters is the table of a tool's parameters. Of a CLI it says how each is passed.
func (w *writer) parameters(t catalog.Tool, cli *catalog.CLI) {
	var schema struct {
		Properties lang.Map[property]
		Required   []string
	}
	if err := json.Unmarshal(t.Input, &schema); err != nil {
		panic("reference: the schema of a tool is not JSON: " + err.Error())
	}
	head := []string{"parameter", "type", "meaning"}
	if cli != nil {
		head = append(head, "passed as")
	}
	rows := [][]string{head}
	for name, p := range schema.Properties.All() {
		kind := strings.Join(p.Type, " or ")
		if kind == "array" {
			kind = "list"
		}
		if values := append(p.Enum, p.Items.Enum...); len(values) > 0 {
			kind += ": " + codes(values)
		}
		row := []string{code(name), kind, escape(p.Description)}
		if cli != nil {
			own, _ := cli.CLISpec.Params.Get(name)
			if dangers := danger(own.Danger); dangers != "" {
				row[2] += " **" + dangers + "**"
			}
			row = append(row, passed(own))
		}
		for _, r := range schema.Required {
			if r == name {
				row[0] += " (required)"
			}
		}
		rows = append(rows, row)
	}
	w.table(rows)
}

func danger(d lang.ValueSet) string {
	switch {
	case d.All:
		return "Lets the agent act without asking."
	case len(d.Values) > 0:
		return "These values let the agent act without asking: " + strings.Join(d.Values, ", ") + "."
	}
	return ""
}

// passed says how a value is passed to the CLI.
func passed(p lang.ParamSpec) string {
	switch {
	case p.Flag != "":
		text := code(p.Flag)
		if p.Value != "" {
			text += " " + code(p.Value)
		}
		if p.NoFlag != "" {
			text += ", or " + code(p.NoFlag)
		}
		return text
	case p.Words != nil:
		return code(strings.Join(p.Words, " "))
	case p.Values != nil:
		var parts []string
		for _, value := range p.Enum {
			if words := p.Values[value]; len(words) > 0 {
				parts = append(parts, code(strings.Join(words, " ")))
			}
		}
		return strings.Join(parts, ", ")
	case p.Env != "":
		return "variable " + code(p.Env)
	case p.Show != nil:
		return "not passed; selects what is shown"
	}
	return ""
}

// models lists aliases and what is known of models.
func (w *writer) models(cli *catalog.CLI) {
	m := cli.CLISpec.Models
	if m.Default != "" {
		w.line("")
		w.line("The default model is " + code(m.Default) + ".")
	}
	aliases := [][]string{{"alias", "model"}}
	for name, model := range m.Aliases.All() {
		if model == "" {
			model = "the CLI's own default"
		} else {
			model = code(model)
		}
		aliases = append(aliases, []string{code(name), model})
	}
	w.table(aliases)
	known := [][]string{{"model", "description", "best for"}}
	for name, k := range m.Known.All() {
		known = append(known, []string{code(name), escape(k.Doc), escape(k.Use)})
	}
	w.table(known)
}

// failures lists the classes of failed runs.
func (w *writer) failures(cli *catalog.CLI) {
	rows := [][]string{{"failure class", "retry may succeed", "what to do"}}
	seen := map[string]bool{}
	for _, f := range cli.Failure {
		row := []string{code(f.Class), yes(f.Retry.Yes), escape(f.Hint)}
		if key := strings.Join(row, "|"); !seen[key] {
			seen[key] = true
			rows = append(rows, row)
		}
	}
	classes := map[string]bool{}
	for _, f := range cli.Failure {
		classes[f.Class] = true
	}
	for _, exit := range sorted(cli.Exits) {
		if class := cli.Exits[exit]; !classes[class] {
			classes[class] = true
			rows = append(rows, []string{code(class), "", ""})
		}
	}
	w.table(rows)
}

// risks lists the rules by which calls are scored.
func (w *writer) risks(cli *catalog.CLI) {
	rows := [][]string{{"risk", "score", "condition", "reason"}}
	for _, r := range cli.Risk {
		rows = append(rows, []string{names(r.ID), strconv.Itoa(r.Score), code(r.When), escape(r.Reason)})
	}
	w.table(rows)
}
