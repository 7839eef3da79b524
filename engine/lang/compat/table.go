package compat

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// comparisons say for each field of the language what a change of it means. A field that
// has none does not pass the tests; until then its changes are notes.
//
// What is text for people, and what only reads the output of a program, is a note.
// Whatever decides which program is run, with which words and variables, by whose leave
// and for how long, is a widening unless it plainly narrows.
func comparisons() map[string]comparison {
	comparisonsOnce.Do(func() {
		comparisonsMade = comparisonsOfSpec()
		for field, c := range comparisonsOfSettings() {
			comparisonsMade["gateway."+field] = c
		}
	})
	return comparisonsMade
}

var (
	comparisonsOnce sync.Once // no start pays for them
	comparisonsMade map[string]comparison
)

func comparisonsOfSpec() map[string]comparison {
	param := comparison{classify: schemaField}
	return map[string]comparison{
		"language": noted,

		"cli": {added: newCLI, removed: goneCLI, enter: enterCLI, leave: scope.ranges},

		"cli.*.title": noted, "cli.*.doc": noted, "cli.*.install": noted, "cli.*.unverified": noted,
		"cli.*.bin":         {classify: rewritten("runs %s, and not %s")},
		"cli.*.argv":        {classify: commandLines},
		"cli.*.concurrency": {classify: lifted},
		"cli.*.onCancel":    noted,
		"cli.*.success":     noted, "cli.*.exits": noted, "cli.*.failure": noted, "cli.*.examples": noted,
		"cli.*.versions": {classify: func(scope, any, any) {}, quiet: true}, // ranges compares what comes of them
		"cli.*.risk":     {classify: scoring},

		"cli.*.prompt.via":  {classify: carried},
		"cli.*.prompt.flag": {classify: rewritten("the prompt is passed by %s, and was by %s")},
		"cli.*.prompt.min":  param, "cli.*.prompt.max": param,
		"cli.*.prompt.maxBytes":     {classify: tightens("a longer prompt is refused: %s bytes, and were %s")},
		"cli.*.prompt.guard":        {classify: rewritten("stands before a prompt with a slash: %s, and was %s")},
		"cli.*.prompt.excerptBytes": noted,
		"cli.*.prompt.expands":      {classify: shrinks(Widening, "%s in prompts is not looked at any more", "%s in prompts is looked at")},

		"cli.*.params": {added: newParameter, removed: goneParameter, enter: enterParameter},

		"cli.*.params.*.doc": noted, "cli.*.params.*.advanced": noted, "cli.*.params.*.show": noted, "cli.*.params.*.group": noted,
		"cli.*.params.*.type": param, "cli.*.params.*.each": param, "cli.*.params.*.sep": param, "cli.*.params.*.enum": param,
		"cli.*.params.*.default": param, "cli.*.params.*.required": param, "cli.*.params.*.min": param, "cli.*.params.*.max": param,
		"cli.*.params.*.minLength": param, "cli.*.params.*.maxLength": param, "cli.*.params.*.maxItems": param, "cli.*.params.*.pattern": param,
		"cli.*.params.*.modes": param, "cli.*.params.*.since": param, "cli.*.params.*.until": param,
		"cli.*.params.*.conflicts": param, "cli.*.params.*.requires": param, "cli.*.params.*.danger": param,
		"cli.*.params.*.flag":      {classify: rewritten("is passed by %s, and was by %s")},
		"cli.*.params.*.noFlag":    {classify: rewritten("false is passed by %s, and was by %s")},
		"cli.*.params.*.value":     {classify: rewritten("is passed as %s, and was as %s")},
		"cli.*.params.*.env":       {classify: rewritten("is passed in the variable %s, and was in %s")},
		"cli.*.params.*.words":     {classify: worded("true")},
		"cli.*.params.*.values":    {classify: wordedValues},
		"cli.*.params.*.style":     noted,
		"cli.*.params.*.when":      {classify: conditioned},
		"cli.*.params.*.otherwise": {classify: droppedInstead},

		"cli.*.models.default": {classify: func(s scope, was, is any) {
			s.breaking("calls that name no model get %s, and got %s", quoted(is), quoted(was))
		}},
		"cli.*.models.aliases": {removed: func(s scope, was any) {
			s.breaking("there is no such alias any more; it stood for %s", quoted(was))
		}},
		"cli.*.models.aliases.*": noted, "cli.*.models.known": {}, "cli.*.models.known.*.doc": noted, "cli.*.models.known.*.use": noted,
		"cli.*.models.prefix": noted, "cli.*.models.sources": {}, "cli.*.models.sources.*": {classify: composite(Note)},

		"cli.*.session.id":     noted,
		"cli.*.session.create": {classify: ifAny("a new conversation")}, "cli.*.session.resume": {classify: ifAny("a conversation that goes on")},
		"cli.*.session.latest": {classify: ifAny("the newest conversation")}, "cli.*.session.capture": noted, "cli.*.session.scope": noted,

		"cli.*.mcp.default": {classify: handed},
		"cli.*.mcp.words":   {classify: ifServers(worded("MCP servers"))}, "cli.*.mcp.each": {classify: ifServers(worded("each MCP server"))}, "cli.*.mcp.trusted": {classify: ifServers(worded("an MCP server with trust"))},
		"cli.*.mcp.strict": {classify: ifServers(worded("strictMcpConfig"))}, "cli.*.mcp.none": {classify: ifServers(worded("no MCP servers"))},
		"cli.*.mcp.file": {classify: ifServers(composite(Widening))}, "cli.*.mcp.own": {classify: ifServers(composite(Widening))},

		"cli.*.output": {classify: fieldwise},

		"cli.*.env.pass": {classify: covering("%s is passed to it as well", "%s is not passed to it any more", false)},
		"cli.*.env.set":  {added: tells("is set for it"), removed: tells("is not set for it any more")}, "cli.*.env.set.*": {classify: func(s scope, _, _ any) { s.widening("has another value") }},
		"cli.*.env.drop":       {classify: covering("%s is not kept from it any more", "%s is kept from it", true)},
		"cli.*.timeouts":       {classify: limiting},
		"cli.*.version.argv":   {classify: worded("its version")},
		"cli.*.version.match":  {classify: rewritten("another program may pass for it: %s tells it, and %s did")},
		"cli.*.login":          {classify: composite(Note)},
		"cli.*.upgrade.latest": {classify: composite(Widening)}, "cli.*.upgrade.target": {classify: composite(Widening)},
		"cli.*.upgrade.where": {added: tells("is a new way to upgrade"), removed: tells("is no way to upgrade any more, so that another counts")},

		"cli.*.upgrade.where.*.path": {classify: composite(Widening)}, "cli.*.upgrade.where.*.latest": {classify: composite(Widening)},
		"cli.*.upgrade.where.*.target": {classify: composite(Widening)}, "cli.*.upgrade.where.*.note": noted,
		"cli.*.probe.help": noted, "cli.*.probe.ignore": noted, "cli.*.probe.hidden": noted, // nothing but help is asked for

		"client": {}, "client.*": {classify: composite(Note)},

		"policy": {added: newPolicy, removed: func(s scope, _ any) { s.breaking("there is no such policy any more") }}, "policy.*": {classify: policing},

		"risk": {removed: func(s scope, was any) {
			s.widening("no rule scores this any more; it was %d", was.(lang.RuleSpec).Score)
		}},
		"risk.*.when":   {classify: rewritten("holds where %s, and held where %s")},
		"risk.*.score":  {classify: scored},
		"risk.*.reason": noted,

		"optimizer": {}, "optimizer.*": {classify: composite(Note)},

		"mcp":           {added: newServer, removed: func(s scope, _ any) { s.breaking("there is no such MCP server any more") }},
		"mcp.*.title":   noted,
		"mcp.*.command": {classify: rewritten("runs %s, and not %s")},
		"mcp.*.args":    {classify: worded("its program")},
		"mcp.*.env":     {classify: grows("%s is passed to it as well", "%s is not passed to it any more")},
		"mcp.*.trust":   {classify: opens("its tools run without asking")},
	}
}

func comparisonsOfSettings() map[string]comparison {
	return map[string]comparison{
		"logsDb":  {classify: unrecorded},
		"envFile": {classify: rewritten("variables for the CLIs come from %s, and came from %s")},
		"debug":   noted, "outputCap": noted, "injected": noted,
		"env.pass":  {classify: covering("%s is passed to all CLIs as well", "%s is not passed to all CLIs any more", false)},
		"env.set":   {added: tells("is set for all CLIs"), removed: tells("is not set for all CLIs any more")},
		"env.set.*": {classify: func(s scope, _, _ any) { s.widening("has another value") }},
		"env.drop":  {classify: covering("%s is not kept from the CLIs any more", "%s is kept from the CLIs", true)},
		"path":      {classify: composite(Widening)},
		"timeouts":  {classify: limiting},

		"jobs.db": noted, "jobs.retentionDays": noted, "jobs.syncMs": noted, "jobs.dedupMs": noted, "jobs.onCancel": noted,
		"jobs.detachOn": noted, "jobs.queueMs": noted, "jobs.concurrency": {classify: lifted}, "jobs.maxDepth": {classify: raises("calls inside of calls go %d deep, and went %d deep")},

		"sessions.retentionDays": noted,
		"tools.list":             noted, "tools.fallback": noted, "tools.profile": noted,
		"optimizers.prompt": {classify: unoptimized(catalog.ParamOptimizePrompt)}, "optimizers.response": {classify: unoptimized(catalog.ParamOptimizeResponse)},
		"mcpServers": {classify: grows(serverCame, serverWent)},

		"approvals.strategy": {classify: unmanaged}, "approvals.policy": {classify: defaultPolicy}, "approvals.enforce": {classify: closes("callers choose which policy decides, and whether one does")},
		"reload":           {classify: eager},
		"approvals.danger": {classify: undenied}, "approvals.askMs": noted, "approvals.retentionDays": noted,
	}
}

const (
	serverCame = "calls that name none get the MCP server %s"
	serverWent = "calls that name none do not get the MCP server %s any more"
)

// unoptimized is for the optimizer that a parameter asks for.
func unoptimized(param string) func(s scope, was, is any) {
	return func(s scope, _, is any) {
		if is == "" {
			s.breaking("no tool has the parameter %s any more", param)
		}
	}
}

// noted is a field whose change is told as a note.
var noted = comparison{classify: func(scope, any, any) {}}

// schemaField is classified with all of its parameter, by what callers see of it.
func schemaField(scope, any, any) {}

// rewritten is for a text whose change cannot be classified: new, then old.
func rewritten(format string) func(s scope, was, is any) {
	return func(s scope, was, is any) { s.widening(format, quoted(is), quoted(was)) }
}

// quoted shows a text; an empty one is none.
func quoted(v any) string {
	if v == "" {
		return "nothing"
	}
	return fmt.Sprintf("%q", text.Shorten(fmt.Sprint(v), 100))
}

// composite is for what has many fields that hang together.
func composite(kind ChangeKind) func(s scope, was, is any) {
	return func(s scope, was, is any) { s.say(kind, "%s", became(reflected(was), reflected(is))) }
}

// opens and closes are for switches that open something, by being set or by being cleared.
func opens(text string) func(s scope, was, is any) {
	return func(s scope, _, is any) {
		if is.(bool) {
			s.widening("%s", text)
		}
	}
}

func closes(text string) func(s scope, was, is any) {
	return func(s scope, was, _ any) {
		if was.(bool) {
			s.widening("%s", text)
		}
	}
}

// raises is for a number that bounds something.
func raises(format string) func(s scope, was, is any) {
	return func(s scope, was, is any) {
		if is.(int) > was.(int) {
			s.widening(format, is, was)
		}
	}
}

// lifted is for a number of calls, of which 0 is no bound.
func lifted(s scope, was, is any) {
	switch a, b := was.(int), is.(int); {
	case b == 0:
		s.widening("any number of calls runs at once, and no longer at most %d", a)
	case a != 0 && b > a:
		s.widening("%d calls run at once, and no longer at most %d", b, a)
	}
}

// tightens is for a bound that refuses calls; 0 is none.
func tightens(format string) func(s scope, was, is any) {
	return func(s scope, was, is any) {
		if a, b := was.(int), is.(int); b != 0 && (a == 0 || b < a) {
			s.breaking(format, text.Number(float64(b)), orAny(a))
		}
	}
}

func orAny(n int) string {
	if n == 0 {
		return "any number"
	}
	return text.Number(float64(n))
}

// grows and shrinks are for lists without an order. The formats take what came and what
// went.
func grows(came, went string) func(s scope, was, is any) {
	return func(s scope, was, is any) { s.members(was.([]string), is.([]string), Widening, came, Note, went) }
}

func shrinks(kind ChangeKind, went, came string) func(s scope, was, is any) {
	return func(s scope, was, is any) { s.members(was.([]string), is.([]string), Note, came, kind, went) }
}

func (s scope) members(was, is []string, more ChangeKind, came string, less ChangeKind, went string) {
	for i, v := range is {
		if !slices.Contains(was, v) {
			s.at(fmt.Sprint(i)).say(more, came, quoted(v))
		}
	}
	for i, v := range was {
		if !slices.Contains(is, v) {
			s.lost(fmt.Sprint(i)).say(less, went, quoted(v))
		}
	}
}

// covering is for names of variables, of which PREFIX* covers many. In a list of what is
// kept back, less is more.
func covering(more, less string, kept bool) func(s scope, was, is any) {
	return func(s scope, was, is any) {
		tell := func(in scope, widens bool, v string) {
			if widens {
				in.widening(more, quoted(v))
			} else {
				in.note(less, quoted(v))
			}
		}
		for i, v := range is.([]string) {
			if !matchedBy(v, was.([]string)) {
				tell(s.at(fmt.Sprint(i)), !kept, v)
			}
		}
		for i, v := range was.([]string) {
			if !matchedBy(v, is.([]string)) {
				tell(s.lost(fmt.Sprint(i)), kept, v)
			}
		}
	}
}

func matchedBy(pattern string, by []string) bool {
	return slices.ContainsFunc(by, func(p string) bool {
		prefix, open := strings.CutSuffix(p, "*")
		return p == pattern || open && strings.HasPrefix(pattern, prefix)
	})
}
