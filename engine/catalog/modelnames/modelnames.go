// Package modelnames follows the name of a model in a call, along the aliases and the default of
// its CLI, to the name that the CLI takes. It also checks what specs say of the places where
// names are looked for.
//
// It hides how aliases lead to a name. It must not know which models there are, nor read the
// places: that is a matter of engine/models.
package modelnames

import (
	"maps"
	"slices"
)

// StandardAliases are known to every CLI that takes a model. Where nobody says what
// one of them stands for, it stands for the default.
var StandardAliases = []string{Latest, "fast", "smart"}

// Latest is the alias that stands for the default wherever a user has set one.
const Latest = "latest"

// Named is the name of a model and where it was found.
type Named struct {
	Name string // "" for the CLI's own default
	From string // "cli.acme.models.aliases.fast", "env:ACME_MODEL_ALIASES"
}

// Models are the default and the aliases of a CLI as they hold for one call. A catalog has
// what specs declare; callers that know more make their own.
type Models struct {
	Default *Named           // passed when a call names none; nil: none is passed
	Aliases map[string]Named // a name to a model, to another alias, or to ""
	Own     Named            // what the CLI takes when none is passed, as far as that is known
}

// LeadsBack reports whether an alias leads back to one on its way, other than to itself
// at once, which only says that the name is known.
func (m Models) LeadsBack(alias string) bool {
	seen := map[string]bool{alias: true}
	for at := alias; ; {
		to, ok := m.Aliases[at]
		switch {
		case !ok || to.Name == at:
			return false
		case seen[to.Name]:
			return true
		}
		seen[to.Name], at = true, to.Name
	}
}

// Circular are the aliases that lead in a circle, sorted.
func (m Models) Circular() (names []string) {
	for _, alias := range slices.Sorted(maps.Keys(m.Aliases)) {
		if m.LeadsBack(alias) {
			names = append(names, alias)
		}
	}
	return names
}

// Follow goes from a name along the aliases to one that is none; a name that nobody
// knows passes. The model is "" if the CLI chooses; the steps are the way to it, beginning
// with the name itself. No alias may lead in a circle.
func (m Models) Follow(name, from string) (model string, steps []Named) {
	step := func(name, from string) {
		if name == "" {
			name = "(the CLI's own default)"
		}
		steps = append(steps, Named{Name: name, From: from})
	}
	step(name, from)
	asked := false // for the default, which must not ask again for itself
	for {
		to, ok := m.Aliases[name]
		switch {
		case ok && to.Name != name:
			step(to.Name, "alias "+name+": "+to.From)
		case ok || !slices.Contains(StandardAliases, name):
			if name == "" && m.Own.Name != "" {
				steps = append(steps, Named{Name: m.Own.Name, From: "found by the CLI itself: " + m.Own.From})
			}
			return name, steps
		case m.Default == nil || asked || m.Default.Name == name:
			to = Named{}
			step("", "alias "+name+": known to every CLI")
		default:
			asked, to = true, *m.Default
			step(to.Name, "alias "+name+": "+to.From)
		}
		name = to.Name
	}
}
