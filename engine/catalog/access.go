package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Place is where a call runs.
type Place struct {
	Dir     string // absolute working directory
	Trusted bool   // somebody has trusted it, so that its settings and hooks may count
	Outside bool   // it is in none of the directories that the client works in
	Broad   bool   // it is the root of a file system, or a home
}

// Kept is what a conversation keeps of its first turn.
type Kept struct {
	Access string         `json:"access,omitempty"`
	Params map[string]any `json:"params,omitempty"` // the model, and those that a spec marks
}

// access reads how the program is held to the levels.
func (c compiler) access(ps lang.Problems) {
	spec := c.cli.CLISpec.Access
	lists := []string{}
	for _, p := range c.cli.params {
		if p.Kind == List {
			lists = append(lists, p.Name)
		}
	}
	c.cli.access = access.Compile(spec, extract.ScopeOf(conditionScope(c.cli.params)), lists, c.vetted, ps.At("access"))
	for i, s := range spec.Settings {
		if !slices.Contains([]string{".json", ".jsonc", ".toml", ".yaml", ".yml"}, path.Ext(s.Path)) {
			ps.At("access", "settings", i, "path").Add("shape", "%q does not end in .json, .jsonc, .toml or .yaml, so that its format is unknown", s.Path)
		}
	}
	for name, level := range c.cli.levels() {
		for param, value := range level.Params.All() {
			at := ps.At("access", name, "params", param)
			p, ok := c.cli.byName[param]
			if !ok || p.role != "" {
				at.Add("relation", "there is no parameter %q", param).Key = true
				continue
			}
			if _, wrong := p.bind(value); wrong != "" {
				at.Add("value", "%s", wrong)
			}
		}
	}
}

// levels are the levels of the spec, by name.
func (c *CLI) levels() map[string]*lang.LevelSpec {
	spec := c.CLISpec.Access
	out := map[string]*lang.LevelSpec{"read": spec.Read, "edit": spec.Edit, "full": spec.Full, "untrusted": spec.Untrusted}
	maps.DeleteFunc(out, func(_ string, l *lang.LevelSpec) bool { return l == nil })
	return out
}

// place puts a slot in front of the parameters of a command line that does not say where it
// goes: that of the words of a level, or of an output file.
func (c compiler) place(s slot, words []word) []word {
	if s == slotOutput && c.cli.Output.File.Words == nil && c.cli.Output.File.Env == "" {
		return words
	}
	if slices.ContainsFunc(words, func(w word) bool { return w.slot == s }) {
		return words
	}
	at := slices.IndexFunc(words, func(w word) bool { return w.slot == slotParams && !w.safe })
	if at < 0 {
		at = slices.IndexFunc(words, func(w word) bool { return w.slot != slotNone || w.text == "--" })
	}
	if at < 0 {
		at = len(words)
	}
	return slices.Insert(words, at, word{text: "", slot: s})
}

// HasLevels reports whether the spec says how the program is held to levels of access.
func (c *CLI) HasLevels() bool { return c.access.Declared() }

// HasLevel reports whether calls of the CLI can be held to a level.
func (c *CLI) HasLevel(l access.Level) bool { return c.access.Has(l) }

// Edits reports whether calls of the CLI can have the level edit.
func (c *CLI) Edits() bool { return c.access.Has(access.Edit) }

// LevelValues are the values that a level, or own, gives to parameters.
func (c *CLI) LevelValues(words string) lang.Map[any] { return c.access.Params(words) }

// LevelFacts say how calls of the CLI are held to their levels, for people: which levels
// there are, and what each can reach beside the working directory.
func (c *CLI) LevelFacts() (facts []string) {
	if !c.HasLevels() {
		return []string{"no levels of access, so that every call counts as full"}
	}
	for _, l := range []access.Level{access.Read, access.Edit, access.Full} {
		switch {
		case !c.access.Has(l):
		case c.access.Reach(l) != "":
			facts = append(facts, fmt.Sprintf("%s reaches %s", l, c.access.Reach(l)))
		default:
			facts = append(facts, l.String())
		}
	}
	if c.Loads() != "" {
		facts = append(facts, "an untrusted directory still gives it "+c.Loads())
	}
	return facts
}

// Loads is what the program takes from an untrusted directory all the same.
func (c *CLI) Loads() string { return c.CLISpec.Access.Loads }

// DefaultAccess is the access of a call that does not say, and the setting that says so.
func (c *Catalog) DefaultAccess(cli *CLI) (level, from string) {
	if own := cli.CLISpec.Access.Default; own != "" {
		return own, "cli." + cli.Name + ".access.default"
	}
	return c.globals.access, "gateway.access.default"
}

// Ceiling is the lower one of a ceiling and that of the settings.
func (c *Catalog) Ceiling(other access.Ceiling) access.Ceiling {
	if most := c.Settings.Approvals.Ceiling; most != "" {
		return other.Lower(access.Ceiling{Level: access.Named(most), From: "calls (gateway.approvals.ceiling)"})
	}
	return other
}

// Access decides what a call may do under a ceiling. A refusal is for its caller.
func (c *Catalog) Access(call *Call, ceiling access.Ceiling) (access.Access, Violations) {
	level, _ := c.DefaultAccess(call.CLI)
	ceiling = c.Ceiling(ceiling)
	a, refusal := access.Decide(access.Facts{
		CLI: call.CLI.DisplayName(), Has: call.CLI.access.Has, Given: call.granted, Asked: c.asked(call), Servers: c.serversAsk(call),
		Kept: call.kept.Access, Default: level, Ceiling: ceiling,
	})
	if refusal != "" {
		return a, Violations{{Text: refusal}}
	}
	if a.Words != access.Own {
		a.Reach = call.CLI.access.Reach(access.Named(a.Words))
	}
	return a, nil
}

// asked is what the arguments of the call ask for.
func (c *Catalog) asked(call *Call) (asks []access.Ask) {
	for _, p := range call.CLI.params {
		v, ok := call.values[p.Name]
		if p.role != "" || !ok || !call.given[p.Name] || !p.Writes(v) {
			continue
		}
		// Without levels the call counts as full anyway, so that what nobody has judged asks
		// for nothing more.
		judged := p.asks.Known() || p.dangerous(v)
		if judged || call.CLI.HasLevels() && p.Danger.IsZero() && !p.harmless(call.CLI) {
			asks = append(asks, p.asks.Ask(p.Name, v, c.serverLevel))
		}
	}
	return asks
}

// harmless reports whether it is known of a parameter, beside what it says itself, that it
// asks for nothing: the model, what does not reach the program, and what a risk rule scores.
func (p *Param) harmless(cli *CLI) bool {
	if p.asks.Known() {
		return false
	}
	return p.Name == ParamModel || p.Show != nil || p.Danger.IsZero() && cli.scores(p.Name)
}

// scores reports whether a risk rule mentions a parameter.
func (c *CLI) scores(param string) bool {
	return slices.ContainsFunc(c.risk, func(e *extract.Expression) bool { return e.Mentions(param) })
}

// Judged reports whether the spec says of a parameter of its own what it can do: that it is
// safe, asks for a level, is dangerous, or is scored by a rule.
func (c *CLI) Judged(p *Param) bool { return p.asks.Known() || !p.Danger.IsZero() || p.harmless(c) }

// serverLevel is that of the tools of an MCP server.
func (c *Catalog) serverLevel(name string) access.Level {
	if server, ok := c.Servers.Get(name); ok && server.Access != "" {
		return access.Named(server.Access)
	}
	return access.Full
}

// serversAsk is what the MCP servers of the call ask for.
func (c *Catalog) serversAsk(call *Call) (asks []access.Ask) {
	names, given := call.values[ParamMCPServers].([]string)
	by := ParamMCPServers + " %q"
	if !given && !call.CLI.MCP.IsZero() {
		by = "the MCP server %q, which calls get by default,"
		if names = c.Settings.MCPServers; call.CLI.MCP.Default != nil {
			names = call.CLI.MCP.Default
		}
	}
	for _, name := range names {
		asks = append(asks, access.Ask{Level: c.serverLevel(name), By: fmt.Sprintf(by, name)})
	}
	return asks
}

// WithAccess is the call as it may run in a place: with the values that its level gives to
// parameters, unless its arguments say otherwise.
func (c *Call) WithAccess(a access.Access, place Place) *Call {
	out := *c
	out.Access, out.Place, out.values = a, place, maps.Clone(c.values)
	for name, value := range c.CLI.access.Params(a.Words).All() {
		p, ok := c.CLI.byName[name]
		if !ok || out.replaced(p) {
			continue
		}
		v, wrong := p.bind(value)
		if wrong != "" {
			continue // vet has reported it
		}
		for _, other := range c.CLI.params { // defaults give way
			if slices.Contains(p.Conflicts, other.Name) || slices.Contains(other.Conflicts, name) {
				delete(out.values, other.Name)
			}
		}
		out.values[name] = v
	}
	out.Notes = append(slices.Clone(c.Notes), a.Notes...)
	return &out
}

// replaced reports whether an argument takes the place of a value that nobody gave.
func (c *Call) replaced(p *Param) bool {
	given := func(name string) bool { return c.given[name] && c.CLI.byName[name].Writes(c.values[name]) }
	if given(p.Name) {
		return true
	}
	return slices.ContainsFunc(c.CLI.params, func(other *Param) bool {
		return given(other.Name) && (slices.Contains(p.Conflicts, other.Name) || slices.Contains(other.Conflicts, p.Name))
	})
}

// Inherited is what the call took over from its conversation.
func (c *Call) Inherited() Kept { return c.kept }

// Kept is what the conversation of the call keeps if this is its first turn.
func (c *Call) Kept() Kept {
	kept := Kept{Access: c.Access.Words, Params: map[string]any{}}
	for _, p := range c.CLI.params {
		if v, ok := c.values[p.Name]; ok && (p.Keep || p.Name == ParamModel) && c.given[p.Name] {
			kept.Params[p.Name] = v
		}
	}
	return kept
}

// AccessArgument is the name under which the recorded arguments of a call hold its access.
const AccessArgument = ParamAccess

// recorded is what is recorded of the access of a call, beside its arguments.
type recorded struct {
	access.Access
	Kept Kept `json:"kept"`
}

// RecordedAccess is the access of the call for its record.
func (c *Call) RecordedAccess() any { return recorded{c.Access, c.Kept()} }

// readAccess reads what RecordedAccess wrote; ok is false if there is nothing.
func readAccess(args json.RawMessage) (r recorded, ok bool) {
	var all struct {
		Access recorded `json:"access"`
	}
	if len(args) == 0 || json.Unmarshal(args, &all) != nil {
		return recorded{}, false
	}
	return all.Access, all.Access.Level != ""
}

// AccessIn is the access in the recorded arguments of a call; nil where none is recorded.
func AccessIn(args json.RawMessage) *access.Access {
	if r, ok := readAccess(args); ok {
		return &r.Access
	}
	return nil
}

// KeptIn is what a conversation keeps of a call, in the recorded arguments of it; nil for
// nothing.
func KeptIn(args json.RawMessage) json.RawMessage {
	if r, ok := readAccess(args); ok {
		return text.MustJSON(r.Kept)
	}
	return nil
}

// keep gives the call what its conversation has kept and its arguments do not say.
func (b *binder) keep(kept Kept) {
	for name, value := range kept.Params {
		p, ok := b.cli.byName[name]
		if !ok || p.role != "" || b.given[name] || !p.Keep && name != ParamModel {
			continue
		}
		if v, wrong := p.bind(value); wrong == "" {
			b.values[name] = v
		}
	}
}

// NeedsOwnServers reports whether the MCP servers of the program's own configuration must
// be named on the command line, and says where they are listed.
func (c *Call) NeedsOwnServers() []lang.OwnSpec {
	if !c.CLI.access.NamesServers(c.Access.Words, c.Place.Trusted) {
		return nil
	}
	return c.CLI.CLISpec.Access.Servers
}

// SetOwnServers takes the names of the MCP servers of the program's own configuration.
func (c *Call) SetOwnServers(names []string) {
	c.servers = slices.Compact(slices.Sorted(slices.Values(names)))
}

// access writes the words of the level.
func (r *renderer) access() {
	c, from := r.call, "cli."+r.call.CLI.Name+".access."
	out, wrong := c.CLI.access.Render(access.Run{
		Words: c.Access.Words, Trusted: c.Place.Trusted, Dir: c.Place.Dir, Scope: c.scope(), Path: r.file, Servers: c.ownServers(),
		List: c.elements,
	})
	for _, text := range wrong {
		r.refuse(ParamAccess, "%s", text)
	}
	for _, w := range out.Words {
		r.put(w.Text, ParamAccess, from+w.From)
	}
	for _, v := range out.Set {
		r.variable(v.Name, v.Value, ParamAccess, from+v.From)
	}
	for _, f := range out.Files {
		r.cmd.Files = append(r.cmd.Files, File{Name: f.Name, Text: f.Text})
	}
	r.cmd.Drop = append(r.cmd.Drop, out.Drop...)
}

// ownServers are those of the program's own configuration that the call does not bring.
func (c *Call) ownServers() []string {
	return slices.DeleteFunc(slices.Clone(c.servers), func(name string) bool {
		return c.selection != nil && slices.Contains(c.selection.Enabled, name)
	})
}

// elements are those of a list parameter, divided as the program divides them.
func (c *Call) elements(name string) (out []string) {
	out = []string{}
	p, ok := c.CLI.byName[name]
	if !ok {
		return out
	}
	if p.role == roleServers && c.selection != nil {
		return c.selection.Enabled
	}
	list, _ := c.values[name].([]string)
	for _, item := range list {
		out = append(out, access.Split(item, p.Split)...)
	}
	return out
}

// accessForms are the words that levels can put on a command line.
func (c *CLI) accessForms() (forms []ArgvForm) {
	levels := c.levels()
	for _, name := range slices.Sorted(maps.Keys(levels)) {
		for i, word := range levels[name].Words {
			path := []string{"access", name, "words", fmt.Sprint(i)}
			if word.When != "" {
				forms = append(forms, c.row(word.Words, false, append(path, "words")...))
				continue
			}
			forms = append(forms, ArgvForm{{Text: strings.Join(word.Words, " "), Path: c.path(path...)}})
		}
	}
	return forms
}
