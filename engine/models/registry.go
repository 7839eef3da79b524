// Package models knows which models the CLIs have: what specs say, what environment
// variables add, what the CLIs' own configuration names, and what was used.
//
// It hides where all that lies, in which formats, and which of it counts more. It
// runs nothing, and must not know what a call is.
package models

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/modelnames"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/secret"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Variables about the models of all CLIs. Those of one CLI begin with its prefix.
const (
	varAliases     = "LLM_GATEWAY_MODEL_ALIASES"
	varNoDiscovery = "LLM_GATEWAY_DISABLE_MODEL_DISCOVERY"
)

// Store is the record of calls, as far as it knows which models answered.
type Store interface {
	RecentModels(ctx context.Context, principal string, rows int) ([]store.UsedModel, error)
}

// Registry knows the current models. Nothing that is wrong outside a spec fails:
// it is left out, and List says so. The methods may be called from any goroutine; a nil
// registry knows what specs say.
type Registry struct {
	Host   *host.Host
	Record func() (Store, error) // nil store: calls are not recorded

	now func() time.Time // nil: the clock

	mu    sync.Mutex
	files map[question]answer
}

// Current are the models with which a call is to be bound now. No history is read for
// it, and no file that has not changed.
func (r *Registry) Current(catalog *catalog.Catalog, cli *catalog.CLI) modelnames.Models {
	if r == nil || !cli.TakesModel() {
		return cli.Declared()
	}
	return r.newView(catalog, cli).models
}

// view is the state of the models of a CLI at one moment.
type view struct {
	*Registry
	cli              *catalog.CLI
	secrets          *secret.Finder // of the catalog
	prefix           string
	gatewayVariables host.Variables // the gateway's
	filter           host.Filter    // what of them the CLI is given
	models           modelnames.Models
	byEnv            []string // aliases that variables say, sorted
	warnings         []string
}

// warn adds a warning once: two sources may read the same file.
func (v *view) warn(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(v.warnings, text) {
		v.warnings = append(v.warnings, text)
	}
}

func (r *Registry) newView(catalog *catalog.Catalog, cli *catalog.CLI) *view {
	v := &view{Registry: r, cli: cli, secrets: catalog.Secrets, prefix: cli.ModelPrefix(), models: cli.Declared()}
	own, err := r.variables()
	if err != nil { // which every call reports
		v.warn("%s", err)
	}
	v.gatewayVariables = own
	v.filter = host.Filter{
		Pass: slices.Concat(catalog.Settings.Env.Pass, cli.Env.Pass),
		Drop: slices.Concat(catalog.Settings.Env.Drop, cli.Env.Drop),
	}
	if cli.TakesModel() {
		v.aliases()
		v.defaults()
	}
	return v
}

// variables are the gateway's; a registry without a host has none.
func (r *Registry) variables() (host.Variables, error) {
	if r.Host == nil {
		return nil, nil
	}
	return r.Host.Variables()
}

// cliVariable is a variable as the CLI will see it.
func (v *view) cliVariable(name string) string {
	if text, ok := v.cli.Env.Set.Get(name); ok {
		return text
	}
	if v.filter.Admits(name) {
		return v.gatewayVariables.Value(name)
	}
	return ""
}

// variable is the value of one of the CLI's variables about models, and its name.
func (v *view) variable(suffix string) (value, name string) {
	name = v.prefix + "_" + suffix
	return strings.TrimSpace(v.gatewayVariables.Value(name)), name
}

// from is how steps and listings name a variable.
func from(variable string) string { return "env:" + variable }

// modelName is what a name from outside a spec must look like: it is shown to models,
// so it must not be able to contain instructions.
var modelName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@+~()\[\]-]*$`)

// maxName bounds names from outside. It is not in the patterns, which every start of the
// program compiles: a repetition so long costs a millisecond.
const maxName = 200

func matchesName(name string, pattern *regexp.Regexp) bool {
	return len(name) <= maxName && pattern.MatchString(name)
}

// unusable says what is wrong with a name from outside a spec; "" if nothing.
func (v *view) unusable(name string) string {
	if v.secrets.In(name) {
		return "a text that looks like a key is no model name"
	}
	if !matchesName(name, modelName) {
		return fmt.Sprintf("%s is not a valid model name", quoted(v.secrets, name))
	}
	if text := v.cli.CheckModel(name); text != "" {
		return fmt.Sprintf("the model %s %s", quoted(v.secrets, name), text)
	}
	return ""
}

// quoted shows a text from outside, at no great length.
func quoted(secrets *secret.Finder, text string) string {
	const most = 60
	text = secrets.Redact(text)
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return fmt.Sprintf("%q", text)
}

// defaults finds the default: the variable's, else the spec's, else one from a file that
// a variable names. What the CLI finds by itself is not passed to it: it may know
// better, by a profile or by a file of the working directory.
func (v *view) defaults() {
	if text, name := v.variable("DEFAULT_MODEL"); text != "" {
		_, alias := v.models.Aliases[text]
		if wrong := v.unusable(text); wrong != "" && !alias && !slices.Contains(modelnames.StandardAliases, text) {
			v.warn("%s: %s", name, wrong)
		} else {
			v.models.Default = &modelnames.Named{Name: text, From: from(name)}
			v.latest()
		}
	}
	for name, s := range v.cli.Models.Sources.All() {
		if s.What() != lang.GivesDefault || v.models.Own.Name != "" {
			continue
		}
		found := v.source(name, s)
		if found.name == "" {
			continue
		}
		if !found.elsewhere {
			v.models.Own = modelnames.Named{Name: found.name, From: found.from}
		} else if v.models.Default == nil {
			v.models.Default = &modelnames.Named{Name: found.name, From: found.from}
		}
	}
}

// latest makes "latest" the default that a variable says, for every CLI alike: not what a spec
// makes of it, unless the default itself leads there. Who says otherwise by a variable means it.
func (v *view) latest() {
	if slices.Contains(v.byEnv, modelnames.Latest) {
		return
	}
	_, steps := v.models.Follow(v.models.Default.Name, v.models.Default.From)
	if slices.ContainsFunc(steps, func(s modelnames.Named) bool { return s.Name == modelnames.Latest }) {
		return
	}
	v.models.Aliases = maps.Clone(v.models.Aliases)
	delete(v.models.Aliases, modelnames.Latest)
}

func (r *Registry) clock() time.Time {
	if r.now == nil {
		return time.Now()
	}
	return r.now()
}
