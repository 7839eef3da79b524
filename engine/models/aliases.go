package models

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/modelnames"
)

var aliasName = regexp.MustCompile(`^[A-Za-z0-9._:/-]+$`)

// aliases lays those of variables over the spec's: what is said for all CLIs, then what
// is said for this one.
func (v *view) aliases() {
	type said struct {
		pair
		variable string
	}
	var all []said
	if text := v.gatewayVariables.Value(varAliases); text != "" {
		pairs, _ := parsePairs(text, v.secrets) // problems are reported once, and not for each CLI
		for _, p := range pairs {
			if name, alias, ok := strings.Cut(p.key, "."); ok && name == v.cli.Name {
				all = append(all, said{pair{alias, p.value}, varAliases})
			}
		}
	}
	if text, name := v.variable("MODEL_ALIASES"); text != "" {
		pairs, wrong := parsePairs(text, v.secrets)
		for _, problem := range wrong {
			v.warn("%s: %s", name, problem)
		}
		for _, p := range pairs {
			all = append(all, said{p, name})
		}
	}
	if len(all) == 0 {
		return
	}
	declared := v.models.Aliases
	v.models.Aliases = maps.Clone(declared)
	by := map[string]said{}
	for _, s := range all {
		if wrong := v.cli.CheckAlias(s.key); !matchesName(s.key, aliasName) || wrong != "" {
			v.warn("%s: the alias %s %s", s.variable, quoted(v.secrets, s.key), or(wrong, "may only contain letters, digits and . _ : / -"))
			continue
		}
		if old, twice := by[s.key]; twice && old.value != s.value {
			v.warn("%s: the alias %s is %s, which overrides %s from %s", s.variable, quoted(v.secrets, s.key), quoted(v.secrets, s.value), quoted(v.secrets, old.value), old.variable)
		}
		by[s.key] = s
		v.models.Aliases[s.key] = modelnames.Named{Name: s.value, From: from(s.variable)}
	}
	drop := func(alias string) {
		delete(by, alias)
		delete(v.models.Aliases, alias)
		if was, ok := declared[alias]; ok {
			v.models.Aliases[alias] = was
		}
	}
	for _, alias := range slices.Sorted(maps.Keys(by)) {
		to := by[alias].value
		if _, chained := v.models.Aliases[to]; chained || to == "" || slices.Contains(modelnames.StandardAliases, to) {
			continue
		}
		if wrong := v.unusable(to); wrong != "" {
			v.warn("%s: the alias %s: %s", by[alias].variable, quoted(v.secrets, alias), wrong)
			drop(alias)
		}
	}
	for again := true; again; {
		again = false
		for _, alias := range v.models.Circular() {
			if s, ok := by[alias]; ok {
				v.warn("%s: the alias %s refers back to itself", s.variable, quoted(v.secrets, alias))
				drop(alias)
				again = true
			}
		}
	}
	v.byEnv = slices.Sorted(maps.Keys(by))
}

func or(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

// general is what is wrong with the variable about the aliases of all CLIs.
func (r *Registry) general(catalog *catalog.Catalog) (warnings []string) {
	own, err := r.variables()
	if err != nil {
		return nil // reported with each CLI
	}
	text := own.Value(varAliases)
	if text == "" {
		return nil
	}
	pairs, wrong := parsePairs(text, catalog.Secrets)
	for _, problem := range wrong {
		warnings = append(warnings, varAliases+": "+problem)
	}
	for _, p := range pairs {
		name, _, dotted := strings.Cut(p.key, ".")
		if !dotted {
			warnings = append(warnings, varAliases+": "+quoted(catalog.Secrets, p.key)+" is not CLI.alias")
			continue
		}
		if _, known := catalog.CLI(name); !known {
			warnings = append(warnings, varAliases+": unknown CLI "+quoted(catalog.Secrets, name))
		}
	}
	return warnings
}
