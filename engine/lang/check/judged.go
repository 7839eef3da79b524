package check

import (
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Unjudged reports, as one warning for each CLI, that its spec says nothing of access, or of
// which parameters nothing is known, so that calls count as full. A CLI in which something
// else was found is passed over: that comes first.
func Unjudged(c *catalog.Catalog, found func(cli string) bool) []lang.Problem {
	ps := lang.NewProblems()
	for _, cli := range c.CLIs {
		at := ps.At("cli", cli.Name)
		unknown := []string{}
		for _, p := range cli.Params() {
			if p.InSpec() && !cli.Judged(p) {
				unknown = append(unknown, p.Name)
			}
		}
		switch {
		case found(cli.Name) || cli.CLISpec.Access.Default == "own":
		case !cli.HasLevels():
			problem := at.Add("access", "says nothing of access, so that every call counts as full")
			problem.Hint = `say in access how it is held to read and edit, or that nothing does: access: default: "own"`
		case len(unknown) > 0:
			problem := at.At("params").Add("access", "nothing is known of what %s can do, so that a call with %s counts as full", text.Shorten(strings.Join(unknown, ", "), 200), it(unknown))
			problem.Hint = "say safe or access"
		}
	}
	for i := range *ps.List {
		(*ps.List)[i].Warning, (*ps.List)[i].Key = true, true
	}
	return slices.Clip(*ps.List)
}

func it(names []string) string {
	if len(names) == 1 {
		return "it"
	}
	return "one of them"
}
