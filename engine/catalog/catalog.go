package catalog

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/argvtemplate"
	"github.com/llm-cli-gateway/gateway/engine/catalog/clients"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/catalog/mcpservers"
	"github.com/llm-cli-gateway/gateway/engine/catalog/modelnames"
	"github.com/llm-cli-gateway/gateway/engine/catalog/optimize"
	"github.com/llm-cli-gateway/gateway/engine/catalog/upgrade"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/version"
	"github.com/llm-cli-gateway/gateway/engine/policy"
	"github.com/llm-cli-gateway/gateway/engine/secret"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Catalog is everything the specs say, compiled. It never changes; a reload makes
// another one.
type Catalog struct {
	CLIs     []*CLI // in the order of the specs
	Clients  lang.Map[lang.ClientSpec]
	Settings lang.Settings
	Approval policy.Set                // policies, and the rules for all CLIs
	Servers  lang.Map[lang.ServerSpec] // MCP servers that can be passed to CLIs

	Optimizers []*optimize.Optimizer // in the order of the specs
	Secrets    *secret.Finder        // of what nobody may read

	byName  map[string]*CLI
	callers clients.Table
	globals globals
	digest  string
}

// Client is what is known of a client by the name as which it introduces itself; nil if
// nothing is.
func (c *Catalog) Client(name string) *clients.Client { return c.callers.Find(name) }

// CLI is one command-line program, compiled.
type CLI struct {
	Name string
	lang.CLISpec

	paramSet
	argv    map[lang.Mode][]word
	session map[lang.Mode][]word
	id      *regexp.Regexp // an id that the CLI accepts
	risk    []*extract.Expression
	access  *access.Words
	out     *extract.Output
	upgrade *upgrade.Ways

	ranged    bool      // something depends on the version
	variants  []Variant // of which none overlap
	chosen    bool      // made by At
	installed version.Version
	globals   globals
	listings  *listings

	declared modelnames.Models

	sum      [sha256.Size]byte // of all that it was compiled from
	warnings []lang.Problem    // that compiling it gave
}

// globals is what parameters of a CLI mention of the rest of the specs.
type globals struct {
	policies []string
	servers  []string // with their titles
	access   string   // of calls that do not say
	optimizers
}

// CLI returns the program of that name.
func (c *Catalog) CLI(name string) (*CLI, bool) { cli, ok := c.byName[name]; return cli, ok }

// Digest identifies the catalog: equal specs give equal digests.
func (c *Catalog) Digest() string { return c.digest }

// Digest identifies what the CLI was compiled from, whatever else a catalog holds.
func (c *CLI) Digest() string { return hex.EncodeToString(c.sum[:16]) }

// Tool is the name of the tool that calls the CLI.
func (c *CLI) Tool() string { return c.Name + "_request" }

// AsyncTool is the name of the tool that starts a call and does not wait for it.
func (c *CLI) AsyncTool() string { return c.Tool() + AsyncSuffix }

// AsyncSuffix ends the names of tools that start a job.
const AsyncSuffix = "_async"

// DisplayName is the name of the program for people: its title, or its name.
func (c *CLI) DisplayName() string {
	if c.Title != "" {
		return c.Title
	}
	return c.Name
}

// Upgrade plans to bring the program that lies at file to the target; see upgrade.Ways.
func (c *CLI) Upgrade(file, target string) (up upgrade.Plan, problem string) {
	return c.upgrade.Plan(c.DisplayName(), file, target)
}

// Params are the parameters of the tool in the order of its schema, those of the
// engine included.
func (c *CLI) Params() []*Param { return c.params }

// Compile checks the specs and compiles them. Without problems (warnings aside)
// the catalog is whole; otherwise it is nil.
func Compile(s *lang.Spec) (*Catalog, []lang.Problem) { return Recompile(s, Known{}) }

// Known is what an earlier compilation found out.
type Known struct {
	// Vetted says of a CLI ("cli", its name) or of the rules for all of them ("risk", "")
	// that an earlier compilation found no problem in it: its expressions are then left
	// to their first use. nil: nothing is known.
	Vetted func(section, name string) bool
	// Before is an earlier catalog: what did not change since is taken over from it.
	Before *Catalog
	// Same says of a CLI, by name, that its spec is that of Before. nil: all are compared.
	Same func(name string) bool
}

// Recompile is Compile that relies on what is known.
func Recompile(s *lang.Spec, known Known) (*Catalog, []lang.Problem) {
	if known.Vetted == nil {
		known.Vetted = func(string, string) bool { return false }
	}
	ps := lang.NewProblems()
	c := &Catalog{Clients: s.Client, Settings: s.Gateway, byName: map[string]*CLI{}}
	c.globals = globals{s.Policy.Keys(), mcpservers.Names(s.MCP), cmp.Or(s.Gateway.Access.Default, access.Read.String()), c.optimizers(s, known.Vetted("optimizer", ""), ps)}
	for name, spec := range s.CLI.All() {
		cli, sum := c.unchanged(name, spec, known)
		if cli == nil {
			own := lang.NewProblems("cli", name)
			cli = compileCLI(name, spec, c.globals, known.Vetted("cli", name), own)
			cli.warnings, cli.sum = *own.List, sum
		}
		*ps.List = append(*ps.List, cli.warnings...)
		c.CLIs = append(c.CLIs, cli)
		c.byName[name] = cli
	}
	c.digest = digest(s, c.CLIs)
	c.approval(s, known.Vetted("risk", ""), ps)
	c.listed(ps.At("gateway", "tools", "list"))
	c.prefixes(ps)
	c.servers(s, ps)
	c.callers = clients.Compile(s.Client, ps.At("client"))
	c.Secrets = secret.Compile(s.Secret, known.Vetted("secret", ""), ps.At("secret"))
	for _, p := range *ps.List {
		if !p.Warning {
			return nil, *ps.List
		}
	}
	return c, *ps.List
}

// unchanged is the CLI of an earlier catalog that was made of the same; nil, and the sum
// of the new one, if there is none.
func (c *Catalog) unchanged(name string, spec lang.CLISpec, known Known) (cli *CLI, sum [sha256.Size]byte) {
	if known.Before != nil {
		cli = known.Before.byName[name]
	}
	if cli != nil && known.Same != nil && known.Same(name) && cli.globals.equal(c.globals) {
		return cli, cli.sum
	}
	lean := spec
	lean.Examples, lean.Probe = nil, lang.ProbeSpec{} // only vet reads them
	sum = sha256.Sum256(text.MustJSON([]any{name, lean, c.globals.policies, c.globals.servers, c.globals.access, c.globals.optimizers.specs()}))
	if cli != nil && cli.sum == sum {
		return cli, sum
	}
	return nil, sum
}

func (a globals) equal(b globals) bool {
	return slices.Equal(a.policies, b.policies) && slices.Equal(a.servers, b.servers) && a.access == b.access && reflect.DeepEqual(a.optimizers.specs(), b.optimizers.specs())
}

// listed warns of a name in the listing that no CLI has. It is no error, because the CLI
// may have been taken away.
func (c *Catalog) listed(ps lang.Problems) {
	names := []string{}
	for _, cli := range c.CLIs {
		names = append(names, cli.Name)
	}
	for i, name := range c.Settings.Tools.List {
		if len(names) > 0 && name != lang.Everything && !slices.Contains(names, name) {
			problem := ps.At(i).Add("relation", "there is no CLI %q", name)
			problem.Hint, problem.Warning = text.DidYouMean(name, names), true
		}
	}
}

// digest is a hash over the canonical JSON of the specs.
func digest(s *lang.Spec, clis []*CLI) string {
	rest := *s
	rest.CLI = lang.Map[lang.CLISpec]{}
	h := sha256.New()
	h.Write(text.MustJSON(rest))
	for _, cli := range clis {
		h.Write(cli.sum[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// compiler compiles one CLI and collects its problems.
type compiler struct {
	cli    *CLI
	vetted bool
}

func compileCLI(name string, spec lang.CLISpec, shared globals, vetted bool, ps lang.Problems) *CLI {
	cli := &CLI{Name: name, CLISpec: spec, globals: shared, paramSet: newParamSet(nil), argv: map[lang.Mode][]word{}, session: map[lang.Mode][]word{}}
	c := compiler{cli: cli, vetted: vetted}
	c.params(ps)
	c.access(ps)
	c.sessions(ps.At("session"))
	c.argv(ps.At("argv"))
	c.outputFile(ps.At("output", "file"))
	c.prompt(ps.At("prompt"))
	mcpservers.Check(cli.MCP, ps.At("mcp"))
	c.checkPlacement(ps.At("params"))
	c.models(ps.At("models"))
	c.usable(ps.At("params"))
	if cli.Output.Format == "" {
		cli.Output.Format = "text"
	}
	cli.out = extract.Compile(&cli.CLISpec, cli.Name, cli.DisplayName(), vetted, ps)
	c.programs(ps)
	cli.upgrade = upgrade.Compile(cli.CLISpec.Upgrade, ps.At("upgrade"))
	c.versions(ps)
	cli.listings = cli.list()
	return cli
}

// programs checks what else may be run, and what it is given.
func (c compiler) programs(ps lang.Problems) {
	argvtemplate.Executable(c.cli.Bin, ps.At("bin"))
	if m := c.cli.Version.Match; m != "" {
		switch re, err := regexp.Compile(m); {
		case err != nil:
			ps.At("version", "match").Add("regexp", "%s", strings.TrimPrefix(err.Error(), "regexp: "))
		case re.NumSubexp() == 0:
			ps.At("version", "match").Add("regexp", "%q has no group", m).Hint = "put the version in ( )"
		}
	}
	for i, words := range c.cli.CLISpec.Probe.Help {
		for k, word := range words {
			argvtemplate.NoNUL(word, ps.At("probe", "help", i, k))
		}
		argvtemplate.HelpRequest(words, ps.At("probe", "help", i))
	}
	for name := range c.cli.Env.Set.All() {
		argvtemplate.ReservedVariable(name, ps.At("env", "set", name))
		value, _ := c.cli.Env.Set.Get(name)
		argvtemplate.NoNUL(value, ps.At("env", "set", name))
	}
	carried := map[string]string{}
	for _, p := range c.cli.params {
		if other, ok := carried[p.Env]; ok && p.Env != "" {
			ps.At("params", p.Name, "env").Add("duplicate-env", "variable %s is already set by param %q", p.Env, other)
		}
		carried[p.Env] = p.Name
	}
	if other, ok := carried[c.cli.MCP.File.Env]; ok && c.cli.MCP.File.Env != "" {
		ps.At("mcp", "file", "env").Add("duplicate-env", "variable %s is already set by param %q", c.cli.MCP.File.Env, other)
	}
}
