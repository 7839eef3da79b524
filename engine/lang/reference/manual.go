// Package reference writes the reference of a catalog as Markdown: what each CLI can do,
// its tools with their parameters, and the tools of the gateway itself.
//
// It hides Markdown. Its input is the catalog alone and nothing of this machine, so that
// equal specs give equal text. It must not know any CLI.
package reference

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Mark is the line that identifies a generated reference.
const Mark = "<!-- Generated from the specs by `gateway docs`. Do not edit. -->"

// Write returns the reference of a catalog. The tools are those of the gateway itself.
func Write(c *catalog.Catalog, tools []catalog.Tool) string {
	w := &writer{}
	w.line("# CLIs and tools")
	w.line("")
	w.line(Mark)
	w.line("")
	w.line("A summary of the specs: the capabilities of each CLI, the parameters of its tool, its models,")
	w.line("failure classes and risks. `gateway help language` explains the language of specs.")
	w.matrix(c)
	for _, cli := range c.CLIs {
		w.cli(cli)
	}
	w.policies(c)
	if len(tools) > 0 {
		w.heading("Tools of the gateway")
		for _, t := range tools {
			w.line("")
			w.line("### `" + t.Name + "`")
			w.line("")
			w.line(escape(t.Description))
			w.parameters(t, nil)
		}
	}
	w.clients(c)
	return w.String()
}

// writer writes Markdown, a line at a time.
type writer struct{ strings.Builder }

func (w *writer) line(text string) {
	w.WriteString(strings.TrimRight(text, " "))
	w.WriteByte('\n')
}

func (w *writer) heading(text string) {
	w.line("")
	w.line("## " + text)
}

// table writes rows, the first of which is the head. Nothing is written without a second.
func (w *writer) table(rows [][]string) {
	if len(rows) < 2 {
		return
	}
	w.line("")
	for i, row := range rows {
		w.line("| " + strings.Join(row, " | ") + " |")
		if i == 0 {
			w.line("|" + strings.Repeat("---|", len(row)))
		}
	}
}

// escape keeps text in its cell, and what looks like HTML visible.
func escape(text string) string {
	return strings.NewReplacer("\n", " ", "|", `\|`, "<", `\<`).Replace(text)
}

// code shows a text as it is written.
func code(text string) string {
	fence := "`"
	if strings.Contains(text, "`") {
		fence = "``"
	}
	return fence + strings.NewReplacer("\n", "\\n", "|", `\|`).Replace(text) + fence
}

func codes(texts []string) string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = code(t)
	}
	return strings.Join(out, ", ")
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

// matrix compares the CLIs.
func (w *writer) matrix(c *catalog.Catalog) {
	w.heading("Capabilities")
	rows := [][]string{{"", "tool", "prompt passed by", "accepts session ids", "continues by id", "continues the latest", "MCP servers", "progress", "usage", "cost", "models", "version", "login", "upgrade"}}
	for _, cli := range c.CLIs {
		rows = append(rows, []string{
			"[" + escape(cli.DisplayName()) + "](#" + Anchor(cli.DisplayName()) + ")", code(cli.Tool()), carrier(cli.CLISpec.Prompt),
			yes(cli.Creates()), yes(cli.Converses()) + bound(cli), yes(len(cli.Session.Latest) > 0), servers(cli.MCP),
			progress(cli.Output), scope(cli.Output.Usage.Input.Take != "" || cli.Output.Usage.Output.Take != "", cli.Output.Usage.Scope),
			scope(cli.Output.Cost.Take != "", cli.Output.CostScope), models(cli.CLISpec.Models), yes(len(cli.Version.Argv) > 0),
			yes(len(cli.Login.Env)+len(cli.Login.Files) > 0), upgrade(cli.CLISpec.Upgrade),
		})
	}
	w.table(rows)
}

// Anchor is the fragment by which links find a heading.
func Anchor(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r == ' ' || r == '-':
			b.WriteByte('-')
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r > 127:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func carrier(p lang.PromptSpec) string {
	switch p.Via {
	case "arg":
		return "argument"
	case "file":
		return "file"
	}
	return "standard input"
}

func bound(cli *catalog.CLI) string {
	if cli.Session.Scope != "" && cli.Converses() {
		return ", in its directory only"
	}
	return ""
}

func servers(m lang.MCPSpec) string {
	var ways []string
	if m.File.Name != "" {
		ways = append(ways, "by file")
	}
	if len(m.Each) > 0 && m.Own == nil {
		ways = append(ways, "by options")
	}
	if m.Own != nil {
		ways = append(ways, "its own, by name")
	}
	if len(m.Strict) > 0 {
		ways = append(ways, "exclusively")
	}
	return strings.Join(ways, "; ")
}

func progress(o lang.OutputSpec) string {
	switch {
	case len(o.Progress) > 0:
		return "its actions"
	case o.Progress != nil:
		return ""
	case o.Format == "jsonl":
		return "its text"
	}
	return "its lines"
}

func scope(has bool, scope string) string {
	switch {
	case !has:
		return ""
	case scope == "session":
		return "of the session"
	}
	return "of the turn"
}

func models(m lang.ModelsSpec) string {
	var parts []string
	if n := m.Known.Len(); n > 0 {
		parts = append(parts, strconv.Itoa(n)+" known")
	}
	if m.Sources.Len() > 0 {
		parts = append(parts, "discovered")
	}
	return strings.Join(parts, ", ")
}

func upgrade(u lang.UpgradeSpec) string {
	latest, target := len(u.Latest.Argv) > 0, len(u.Target.Argv) > 0
	for _, place := range u.Where.All() {
		latest, target = latest || len(place.Latest.Argv) > 0, target || len(place.Target.Argv) > 0
	}
	switch {
	case target:
		return "to any version"
	case latest:
		return "to the latest"
	}
	return ""
}

// policies describes what is approved.
func (w *writer) policies(c *catalog.Catalog) {
	rows := [][]string{{"policy", "approves up to", "asks a person up to", "always denies", "includes", "description"}}
	for _, p := range c.Approval.Policies {
		limit := ""
		if p.Limit() > p.Approve {
			limit = strconv.Itoa(p.Limit())
		}
		rows = append(rows, []string{code(p.Name), strconv.Itoa(p.Approve), limit, codes(p.Deny), names(p.Includes), escape(p.Doc)})
	}
	if len(rows) > 1 {
		w.heading("Policies of approval")
	}
	w.table(rows)
	rules := [][]string{{"rule for all CLIs", "score", "condition", "reason"}}
	for _, r := range c.Approval.Rules {
		rules = append(rules, []string{code(r.ID), strconv.Itoa(r.Score), code(r.When), escape(r.Reason)})
	}
	w.table(rules)
}

func names(name string) string {
	if name == "" {
		return ""
	}
	return code(name)
}

// clients describes how the gateway is added to MCP clients.
func (w *writer) clients(c *catalog.Catalog) {
	rows := [][]string{{"client", "name", "settings file", "manual setup"}}
	for name, client := range c.Clients.All() {
		var files []string
		for _, system := range []string{"", "linux", "darwin", "windows"} {
			if file, ok := client.Config.File[system]; ok {
				files = append(files, strings.TrimSpace(system+" "+code(file)))
			}
		}
		if len(files) == 0 {
			files = []string{codes(client.Files)}
		}
		rows = append(rows, []string{code(name), escape(client.Title), strings.Join(files, ", "), code(client.Add)})
	}
	if len(rows) > 1 {
		w.heading("MCP clients")
		w.line("")
		w.line("`gateway init --client NAME` adds the gateway to the settings of a client.")
	}
	w.table(rows)
}

// sentence ends a text with a full stop.
func sentence(text string) string {
	if text = strings.TrimSpace(text); text != "" && !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}

// limits shows a time in milliseconds.
func limits(t lang.Timeouts) string {
	var parts []string
	for _, l := range []struct {
		name string
		ms   *int64
	}{{"without output", t.IdleMs}, {"in total", t.WallMs}, {"between termination signal and kill", t.GraceMs}} {
		if l.ms != nil {
			parts = append(parts, fmt.Sprintf("%d ms %s", *l.ms, l.name))
		}
	}
	return strings.Join(parts, ", ")
}

// sorted are the keys of a map in order.
func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
