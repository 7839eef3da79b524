package models

import (
	"context"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/modelnames"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Kind says how it is known that a model exists.
type Kind string

// The kinds, the most trustworthy first.
const (
	Env      Kind = "env"      // a variable names it
	Config   Kind = "config"   // it was chosen in a spec, or in the CLI's own settings
	Fallback Kind = "fallback" // a spec names it
	Observed Kind = "observed" // it was used
)

// Confidence is how far the kind is to be trusted.
func (k Kind) Confidence() string {
	if k == Env || k == Config {
		return "high"
	}
	return "low"
}

var kinds = []Kind{Env, Config, Fallback, Observed}

// Model is a model that a call can name.
type Model struct {
	Name string
	Doc  string // what it is, "" if nobody says
	Use  string // what it is best for, likewise
	Kind Kind
	From string // where it was found; "" in the specs
}

// CLI describes the models of one CLI.
type CLI struct {
	Spec     *catalog.CLI
	Default  modelnames.Named // with which a call runs that names none; Name "" if that is not known
	Kind     Kind             // of the default
	Passed   bool             // the default is passed to the CLI, which else chooses by itself
	Models   []Model          // the most trustworthy first
	Aliases  map[string]string
	Warnings []string
}

// Listing describes the models of CLIs.
type Listing struct {
	CLIs     []CLI
	Warnings []string // about no single one of them
}

// maxRows is how many of the last calls are searched for models that answered.
const maxRows = 2000

// List lists the models of CLIs, with those that a principal has used.
func (r *Registry) List(ctx context.Context, principal string, catalog *catalog.Catalog, clis []*catalog.CLI) (out Listing) {
	if r == nil {
		r = &Registry{}
	}
	out.Warnings = r.general(catalog)
	used := map[string][]string{}
	discover := !r.disabled()
	if discover {
		var err error
		if used, err = r.used(ctx, principal); err != nil {
			out.Warnings = append(out.Warnings, "models that answered are not listed: "+err.Error())
		}
	}
	for _, cli := range clis {
		v := r.newView(catalog, cli)
		out.CLIs = append(out.CLIs, v.list(ctx, discover, used[cli.Name]))
	}
	return out
}

// disabled reports whether models that were used are not to be listed.
func (r *Registry) disabled() bool {
	own, _ := r.variables()
	return !slices.Contains([]string{"", "0", "false", "no", "off"}, strings.ToLower(strings.TrimSpace(own.Value(varNoDiscovery))))
}

// used are the models that answered the last calls of a principal, by CLI.
func (r *Registry) used(ctx context.Context, principal string) (map[string][]string, error) {
	by := map[string][]string{}
	if r.Record == nil {
		return by, nil
	}
	records, err := r.Record()
	if err != nil || records == nil {
		return by, err
	}
	all, err := records.RecentModels(ctx, principal, maxRows)
	for _, u := range all {
		if len(by[u.CLI]) < maxUsed {
			by[u.CLI] = append(by[u.CLI], u.Model)
		}
	}
	return by, err
}

// list lists the models of a CLI.
func (v *view) list(ctx context.Context, discover bool, used []string) CLI {
	out := CLI{Spec: v.cli, Aliases: map[string]string{}}
	if !v.cli.TakesModel() {
		v.warnNoModel()
		out.Warnings = v.warnings
		return out
	}
	t := collector{view: v, index: map[string]int{}}
	out.Default, out.Kind, out.Passed = t.fallback()
	t.variables()
	t.settings()
	t.specs()
	if discover {
		t.observed(ctx, used)
	}
	slices.SortStableFunc(t.found, func(a, b Model) int { return slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind) })
	for _, alias := range slices.Concat(sorted(v.models.Aliases), modelnames.StandardAliases) {
		if _, known := out.Aliases[alias]; known || v.cli.CheckAlias(alias) != "" {
			continue
		}
		to, said := v.models.Aliases[alias]
		if !said && v.models.Default != nil && v.models.Default.Name != alias {
			to.Name = v.models.Default.Name
		}
		if model, _ := v.models.Follow(alias, ""); model != "" { // else it says no more than to name none
			out.Aliases[alias] = to.Name
		}
	}
	out.Models, out.Warnings = t.found, v.warnings
	return out
}

// warnNoModel warns of variables that have no effect, since the CLI takes no model.
func (v *view) warnNoModel() {
	for _, suffix := range []string{"DEFAULT_MODEL", "MODELS", "MODEL_ALIASES"} {
		if text, name := v.variable(suffix); text != "" {
			v.warnings = append(v.warnings, name+" has no effect: "+v.cli.DisplayName()+" has no parameter for a model")
		}
	}
}

// collector collects models, each once, of the most trustworthy source.
type collector struct {
	*view
	found []Model
	index map[string]int // position of a name in found
}

func (t *collector) add(m Model) {
	i, known := t.index[m.Name]
	if !known {
		t.index[m.Name] = len(t.found)
		t.found = append(t.found, m)
		return
	}
	old := &t.found[i]
	if old.Doc == "" {
		old.Doc = m.Doc
	}
	if old.Use == "" {
		old.Use = m.Use
	}
	if slices.Index(kinds, m.Kind) < slices.Index(kinds, old.Kind) {
		old.Kind, old.From = m.Kind, m.From
	}
}

// fallback is the model of a call that names none.
func (t *collector) fallback() (named modelnames.Named, kind Kind, passed bool) {
	if d := t.models.Default; d != nil {
		name, _ := t.models.Follow(d.Name, d.From)
		if name != "" {
			kind = kindOf(d.From)
			t.add(Model{Name: name, Kind: kind, From: d.From})
			return modelnames.Named{Name: name, From: d.From}, kind, true
		}
	}
	own := t.models.Own
	if own.Name == "" {
		return own, "", false
	}
	kind = kindOf(own.From)
	t.add(Model{Name: own.Name, Kind: kind, From: own.From})
	return own, kind, false
}

func kindOf(from string) Kind {
	if strings.HasPrefix(from, "env:") {
		return Env
	}
	return Config
}

// variables are the models that the CLI's variables name.
func (t *collector) variables() {
	if text, name := t.variable("MODELS"); text != "" {
		pairs, wrong := parseModels(text, t.secrets)
		for _, problem := range wrong {
			t.warn("%s: %s", name, problem)
		}
		for _, p := range pairs {
			if wrong := t.unusable(p.key); wrong != "" {
				t.warn("%s: %s", name, wrong)
				continue
			}
			t.add(Model{Name: p.key, Doc: p.value, Kind: Env, From: from(name)})
		}
	}
	for _, alias := range t.byEnv {
		t.target(alias, Env)
	}
}

// target adds the model that an alias leads to.
func (t *collector) target(alias string, kind Kind) {
	to := t.models.Aliases[alias]
	if _, chained := t.models.Aliases[to.Name]; to.Name == "" || chained && to.Name != alias || slices.Contains(modelnames.StandardAliases, to.Name) && to.Name != alias {
		return // reported with the alias
	}
	m := Model{Name: to.Name, Kind: kind}
	if kind != Fallback {
		m.From = to.From
	}
	t.add(m)
}

// settings are the models that the CLI's own settings name.
func (t *collector) settings() {
	for name, s := range t.cli.Models.Sources.All() {
		if s.What() != lang.GivesModels {
			continue
		}
		path, named := t.locate(name, s)
		found := t.file(path, named, s)
		for _, e := range found.entries {
			if wrong := t.unusable(e.key); wrong != "" {
				t.warn("%s: %s", t.displayPath(path), wrong)
				continue
			}
			t.add(Model{Name: e.key, Doc: e.value, Kind: Config, From: t.displayPath(path) + ": " + found.at})
		}
	}
}

// specs are the models that specs name.
func (t *collector) specs() {
	for name, known := range t.cli.Models.Known.All() {
		t.add(Model{Name: name, Doc: known.Doc, Use: known.Use, Kind: Fallback})
	}
	for _, name := range t.cli.ModelChoices() {
		t.add(Model{Name: name, Kind: Fallback})
	}
	for _, alias := range t.cli.Models.Aliases.Keys() {
		if !slices.Contains(t.byEnv, alias) {
			t.target(alias, Fallback)
		}
	}
}

// observed are the models that were used: those that answered our calls, and those in the
// CLI's own history.
func (t *collector) observed(ctx context.Context, used []string) {
	put := func(name, from string) {
		if t.unusable(name) == "" {
			t.add(Model{Name: name, Kind: Observed, From: from})
		}
	}
	for _, name := range used {
		put(name, "record of calls")
	}
	for name, s := range t.cli.Models.Sources.All() {
		if s.What() != lang.GivesObserved {
			continue
		}
		found, where := t.history(ctx, name, s)
		for _, e := range found {
			put(e.key, where)
		}
	}
}
