package catalog

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/catalog/mcpservers"
	"github.com/llm-cli-gateway/gateway/engine/catalog/optimize"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/version"
	"github.com/llm-cli-gateway/gateway/engine/policy"
)

// Kind is the type of a parameter's value.
type Kind string

// The kinds of parameters, with the Go type of a bound value.
const (
	String Kind = "string" // string
	Bool   Kind = "bool"   // bool
	Int    Kind = "int"    // int
	Number Kind = "number" // float64
	List   Kind = "list"   // []string
)

// zero is the value of a parameter that was not given, as conditions see it.
func (k Kind) zero() any {
	switch k {
	case Bool:
		return false
	case Int:
		return 0
	case Number:
		return 0.0
	case List:
		return []string{}
	}
	return ""
}

// Bounds that hold where a spec says nothing, so that no argument is unbounded.
const (
	defaultMaxLength = 10_000 // characters of a string or of one element
	defaultMaxItems  = 100    // elements of a list
)

// Param is one parameter of a tool: of the spec (role "") or of the engine.
type Param struct {
	Name string
	Kind Kind
	lang.ParamSpec
	Nullable bool // the schema says that null is taken, which counts as not given

	role     role
	pattern  *regexp.Regexp
	when     *extract.Expression
	asks     access.Values // the level that a value asks for
	pre      string        // template around the value, split at its encoder
	post     string
	encoder  string        // "json", "raw", or "" without a template
	bySlot   bool          // argv names the parameter itself: {NAME}
	versions version.Range // versions of the program that have it

	fallback string   // of a model, where the parameter has no default of its own
	aliases  []string // likewise
}

// role marks the parameters whose meaning is the engine's.
type role string

const (
	rolePrompt           role = "prompt"
	roleSession          role = "session"
	roleLatest           role = "latest"
	roleNew              role = "new"
	roleCorrelation      role = "correlation"
	roleIdle             role = "idle"
	roleWall             role = "wall"
	roleDir              role = "dir"
	roleForce            role = "force"
	roleStrategy         role = "strategy"
	rolePolicy           role = "policy"
	roleServers          role = "servers"
	roleStrict           role = "strict"
	roleAsync            role = "async"
	roleOptimizePrompt   role = "optimizePrompt"
	roleOptimizeResponse role = "optimizeResponse"
	roleMaxChars         role = "maxChars"
	roleAccess           role = "access"
)

// Names of the engine's parameters. A spec cannot take one of them.
const (
	ParamPrompt           = "prompt"
	ParamSessionID        = "sessionId"
	ParamContinueSession  = "continueSession"
	ParamResumeLatest     = "resumeLatest"
	ParamCreateNewSession = "createNewSession"
	ParamCorrelationID    = "correlationId"
	ParamIdleTimeout      = "idleTimeoutMs"
	ParamTimeout          = "timeoutMs"
	ParamWorkingDir       = "workingDir"
	ParamForceRefresh     = "forceRefresh"
	ParamApprovalStrategy = "approvalStrategy"
	ParamApprovalPolicy   = "approvalPolicy"
	ParamMCPServers       = "mcpServers"
	ParamStrictMCPConfig  = "strictMcpConfig"
	ParamAsync            = "async"
	ParamOptimizePrompt   = "optimizePrompt"
	ParamOptimizeResponse = "optimizeResponse"
	ParamMaxChars         = "maxChars"
	ParamAccess           = "access"
	ParamModel            = "model" // of the spec, but resolved through its aliases
)

// engineNames are taken in every CLI, also where the parameter is not offered: a
// tool must not give one of them another meaning than its neighbours do.
var engineNames = []string{ParamPrompt, ParamSessionID, ParamContinueSession, ParamResumeLatest, ParamCreateNewSession, ParamCorrelationID, ParamIdleTimeout, ParamTimeout, ParamWorkingDir, ParamForceRefresh, ParamApprovalStrategy, ParamApprovalPolicy, ParamMCPServers, ParamStrictMCPConfig, ParamAsync, ParamOptimizePrompt, ParamOptimizeResponse, ParamMaxChars, ParamAccess}

// Bounds of the time limits that a call may ask for, in milliseconds.
const (
	minIdleMs = 30_000
	maxIdleMs = 3_600_000
	minWallMs = 1_000
	maxWallMs = 604_800_000
)

// maxAnswerChars is the most characters of an answer that a result can be asked to hold.
const maxAnswerChars = 1_000_000

// engineParams are declared here once and shared by the tools of all CLIs. Those of
// approval are offered where there are policies, those of optimizers where one is named.
func engineParams(cli *lang.CLISpec, shared globals) (first, last []*Param) {
	minChars, maxChars := cli.Prompt.Bounds()
	first = []*Param{{Name: ParamPrompt, Kind: String, role: rolePrompt, ParamSpec: lang.ParamSpec{
		Doc: "What to ask.", Required: true, MinLength: &minChars, MaxLength: &maxChars}}}
	add := func(r role, name string, kind Kind, spec lang.ParamSpec) {
		p := newParam(name, spec, lang.NewProblems())
		p.Kind, p.role = kind, r
		last = append(last, p)
	}
	if len(cli.Session.Resume) > 0 {
		add(roleSession, ParamSessionID, String, lang.ParamSpec{Doc: "Continue the conversation with this id, as returned by an earlier call.", MaxLength: ptr(256)})
	}
	if len(cli.Session.Latest)+len(cli.Session.Resume) > 0 {
		add(roleLatest, ParamContinueSession, Bool, lang.ParamSpec{Advanced: true, Doc: "Continue the active session, else as resumeLatest."})
		add(roleLatest, ParamResumeLatest, Bool, lang.ParamSpec{Advanced: true, Doc: "Continue the newest conversation of workingDir, active or not."})
	}
	if len(last) > 0 {
		doc := "Always start a new conversation."
		if len(cli.Session.Create) > 0 {
			doc = "Always start a new conversation; with sessionId, under that id."
		}
		add(roleNew, ParamCreateNewSession, Bool, lang.ParamSpec{Doc: doc})
	}
	add(roleDir, ParamWorkingDir, String, lang.ParamSpec{Doc: "Absolute working directory. Default: the client's only root, else the gateway's.", MaxLength: ptr(4096)})
	levels := "read: change nothing; edit: write in workingDir; full: anything; own: its settings decide. Default: " + cmp.Or(cli.Access.Default, shared.access) + "."
	if cli.Access.Read == nil && cli.Access.Edit == nil && cli.Access.Full == nil {
		levels = "own: its settings decide, as always: its spec has no levels."
	}
	add(roleAccess, ParamAccess, String, lang.ParamSpec{Advanced: true, Doc: levels, Enum: access.Names})
	add(roleCorrelation, ParamCorrelationID, String, lang.ParamSpec{Advanced: true, Doc: "Id for tracing this call. Default: generated.", MinLength: ptr(1), MaxLength: ptr(128)})
	add(roleIdle, ParamIdleTimeout, Int, lang.ParamSpec{Advanced: true, Doc: "End the run after this time without output, in ms.", Min: ptr(float64(minIdleMs)), Max: ptr(float64(maxIdleMs))})
	add(roleWall, ParamTimeout, Int, lang.ParamSpec{Advanced: true, Doc: "End the run after this total time in ms. Default: none.", Min: ptr(float64(minWallMs)), Max: ptr(float64(maxWallMs))})
	add(roleForce, ParamForceRefresh, Bool, lang.ParamSpec{Advanced: true, Doc: "Run even if an identical call was made; else its answer is returned."})
	if policies := shared.policies; len(policies) > 0 {
		add(roleStrategy, ParamApprovalStrategy, String, lang.ParamSpec{Advanced: true, Doc: "legacy: run as requested, unless a policy is enforced. mcp_managed: a policy decides.", Enum: []string{policy.Legacy, policy.Managed}})
		add(rolePolicy, ParamApprovalPolicy, String, lang.ParamSpec{Advanced: true, Doc: "Policy to apply; implies mcp_managed.", Enum: policies})
	}
	if !cli.MCP.IsZero() {
		doc := "MCP servers to give to the agent."
		if cli.MCP.Own != nil {
			doc = "MCP servers of its own configuration to enable."
		}
		add(roleServers, ParamMCPServers, List, lang.ParamSpec{Doc: doc, Pattern: mcpservers.NamePattern})
		add(roleStrict, ParamStrictMCPConfig, Bool, lang.ParamSpec{Advanced: true, Doc: "Fail if one of mcpServers is missing, and use no others. Default: true."})
	}
	if shared.prompt != nil {
		add(roleOptimizePrompt, ParamOptimizePrompt, Bool, lang.ParamSpec{Advanced: true, Doc: optimizerDoc("Shorten the prompt", shared.prompt)})
	}
	if shared.response != nil {
		add(roleOptimizeResponse, ParamOptimizeResponse, Bool, lang.ParamSpec{Advanced: true, Doc: optimizerDoc("Shorten the answer", shared.response)})
	}
	add(roleMaxChars, ParamMaxChars, Int, lang.ParamSpec{Advanced: true, Doc: "Most characters of the answer to return. Default: 100,000.", Min: ptr(1.0), Max: ptr(float64(maxAnswerChars))})
	add(roleAsync, ParamAsync, Bool, lang.ParamSpec{Doc: "Start a job and return its jobId at once."})
	return first, last
}

// optimizerDoc says what an optimizer does.
func optimizerDoc(what string, o *optimize.Optimizer) string {
	if o.Doc == "" {
		return what + "."
	}
	return what + ": " + o.Doc
}

// newParam reads a line of the table; what is wrong with it goes to ps.
func newParam(name string, spec lang.ParamSpec, ps lang.Problems) *Param {
	p := &Param{Name: name, Kind: inferKind(spec), ParamSpec: spec}
	if spec.Pattern != "" {
		re, err := regexp.Compile(spec.Pattern)
		if err != nil {
			ps.At("pattern").Add("regexp", "%s", strings.TrimPrefix(err.Error(), "regexp: "))
		}
		p.pattern = re
	}
	p.versions = version.NewRange(spec.Since, spec.Until, ps)
	if spec.Value != "" {
		for _, enc := range []string{"json", "raw"} {
			if pre, post, ok := strings.Cut(spec.Value, "{"+enc+"}"); ok {
				p.pre, p.post, p.encoder = pre, post, enc
			}
		}
	}
	return p
}

func inferKind(s lang.ParamSpec) Kind {
	switch {
	case s.Type != "":
		return Kind(s.Type)
	case s.Each || s.Sep != "" || s.MaxItems != nil:
		return List
	case s.Words != nil || s.NoFlag != "":
		return Bool
	}
	return String
}

// dash reports whether flag and value are two words. Short options have no "="
// form that all parsers share.
func (p *Param) dash() bool {
	return p.Style == "sep" || (p.Style == "" && !strings.HasPrefix(p.Flag, "--"))
}

// Writes reports whether a value of the parameter comes to anything: false needs a
// flag of its own, a list an element.
func (p *Param) Writes(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v || p.NoFlag != ""
	case []string:
		return len(v) > 0
	case []any:
		return len(v) > 0
	}
	return true
}

// LengthLimit is the greatest length of a string, or of an element of a list, in
// characters.
func (p *Param) LengthLimit() int {
	if p.MaxLength != nil {
		return *p.MaxLength
	}
	return defaultMaxLength
}

// ItemLimit is the greatest number of elements of a list.
func (p *Param) ItemLimit() int {
	if p.MaxItems != nil {
		return *p.MaxItems
	}
	return defaultMaxItems
}

func (p *Param) separator() string {
	if p.Sep != "" {
		return p.Sep
	}
	return ","
}

// Applies reports whether the parameter has a meaning in a mode.
func (p *Param) Applies(m lang.Mode) bool {
	if len(p.Modes) == 0 {
		return true
	}
	for _, mode := range p.Modes {
		if mode == m {
			return true
		}
	}
	return false
}

// InSpec reports whether the spec of the CLI declares the parameter, and not the engine.
func (p *Param) InSpec() bool { return p.role == "" }

// Section is the section of a CLI's spec of which the engine makes the parameter:
// "prompt", "session" or "mcp"; "" for all others.
func (p *Param) Section() string {
	switch p.role {
	case rolePrompt:
		return "prompt"
	case roleSession, roleLatest, roleNew:
		return "session"
	case roleServers, roleStrict:
		return "mcp"
	}
	return ""
}

// Versions is the range of versions of the program that have the parameter.
func (p *Param) Versions() version.Range { return p.versions }

// Preset is the value of a parameter that is not given, nil if there is none.
func (p *Param) Preset() any {
	if p.Default == nil && p.fallback != "" {
		return p.fallback
	}
	return p.Default
}

// listedDefault is the default that the listing shows. That of the model is not shown: a variable
// or a file may change it while the listing stands.
func (p *Param) listedDefault() any {
	if p.Name == ParamModel && p.role == "" {
		return nil
	}
	return p.Preset()
}

func ptr[T any](v T) *T { return &v }
