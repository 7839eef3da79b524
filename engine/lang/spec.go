package lang

import "encoding/json"

// The types of this file are the specs as data: what is left of CUE and YAML once
// the layers are merged and held against the schema. Field names and order are the
// schema's; see schema/schema.cue for what each means.

// Spec is everything that the layers say together.
type Spec struct {
	Language  int                `json:"language,omitempty"`
	CLI       Map[CLISpec]       `json:"cli,omitzero"`
	Client    Map[ClientSpec]    `json:"client,omitzero"`
	Policy    Map[PolicySpec]    `json:"policy,omitzero"`
	Risk      Map[RuleSpec]      `json:"risk,omitzero"`
	MCP       Map[ServerSpec]    `json:"mcp,omitzero"`
	Optimizer Map[OptimizerSpec] `json:"optimizer,omitzero"`
	Gateway   Settings           `json:"gateway,omitzero"`
}

// CLISpec describes one command-line program.
type CLISpec struct {
	Title      string            `json:"title,omitempty"`
	Doc        string            `json:"doc,omitempty"`
	Bin        string            `json:"bin"`
	Install    string            `json:"install,omitempty"`
	Unverified string            `json:"unverified,omitempty"` // why nobody knows that the spec is right
	Argv       ArgvSpec          `json:"argv"`
	Prompt     PromptSpec        `json:"prompt,omitzero"`
	Params     Map[ParamSpec]    `json:"params,omitzero"`
	Models     ModelsSpec        `json:"models,omitzero"`
	Session    SessionSpec       `json:"session,omitzero"`
	MCP        MCPSpec           `json:"mcp,omitzero"`
	Output     OutputSpec        `json:"output,omitzero"`
	Success    string            `json:"success,omitempty"`
	Exits      map[string]string `json:"exits,omitempty"`
	Failure    []FailureSpec     `json:"failure,omitempty"`
	Env        EnvSpec           `json:"env,omitzero"`
	Timeouts   Timeouts          `json:"timeouts,omitzero"`
	OnCancel   string            `json:"onCancel,omitempty"` // "kill" or "detach"; "": the gateway's
	// Concurrency is how many calls run at once; 0 is no limit of its own.
	Concurrency int                  `json:"concurrency,omitempty"`
	Risk        []RiskSpec           `json:"risk,omitempty"`
	Version     VersionSpec          `json:"version,omitzero"`
	Versions    Map[json.RawMessage] `json:"versions,omitzero"` // by range: what lies over the spec there
	Login       LoginSpec            `json:"login,omitzero"`
	Upgrade     UpgradeSpec          `json:"upgrade,omitzero"`
	Probe       ProbeSpec            `json:"probe,omitzero"`
	Examples    []ExampleSpec        `json:"examples,omitempty"`
}

// ParamSpec is one line of the parameter table. Type "" is inferred: list from
// each/sep/maxItems, bool from words/noFlag, otherwise string.
type ParamSpec struct {
	Doc       string              `json:"doc"`
	Type      string              `json:"type,omitempty"`
	Flag      string              `json:"flag,omitempty"`
	NoFlag    string              `json:"noFlag,omitempty"`
	Style     string              `json:"style,omitempty"`
	Value     string              `json:"value,omitempty"`
	Words     []string            `json:"words,omitempty"`
	Values    map[string][]string `json:"values,omitempty"`
	Env       string              `json:"env,omitempty"`
	Show      map[string]string   `json:"show,omitempty"`
	Each      bool                `json:"each,omitempty"`
	Sep       string              `json:"sep,omitempty"`
	Enum      []string            `json:"enum,omitempty"`
	Default   any                 `json:"default,omitempty"`
	Required  bool                `json:"required,omitempty"`
	Min       *float64            `json:"min,omitempty"`
	Max       *float64            `json:"max,omitempty"`
	MinLength *int                `json:"minLength,omitempty"`
	MaxLength *int                `json:"maxLength,omitempty"`
	MaxItems  *int                `json:"maxItems,omitempty"`
	Pattern   string              `json:"pattern,omitempty"`
	Modes     []Mode              `json:"modes,omitempty"`
	Group     string              `json:"group,omitempty"`
	When      string              `json:"when,omitempty"`
	Conflicts []string            `json:"conflicts,omitempty"`
	Requires  []string            `json:"requires,omitempty"`
	Danger    Danger              `json:"danger,omitzero"`
	Since     string              `json:"since,omitempty"`     // first version that has the parameter
	Until     string              `json:"until,omitempty"`     // first version that has it no more
	Otherwise string              `json:"otherwise,omitempty"` // "drop", or "refuse" by default
	Advanced  bool                `json:"advanced,omitempty"`  // not in the compact listing
}

// PromptSpec says how the prompt travels and how long it may be.
type PromptSpec struct {
	Via          string   `json:"via,omitempty"`
	Flag         string   `json:"flag,omitempty"`
	Min          *int     `json:"min,omitempty"`
	Max          *int     `json:"max,omitempty"`
	MaxBytes     int      `json:"maxBytes,omitempty"`
	Guard        string   `json:"guard,omitempty"`
	ExcerptBytes int      `json:"excerptBytes,omitempty"`
	Expands      []string `json:"expands,omitempty"`
}

// ModelsSpec names the default model and the aliases, and says where more is found.
type ModelsSpec struct {
	Default string          `json:"default,omitempty"`
	Aliases Map[string]     `json:"aliases,omitzero"`
	Known   Map[KnownSpec]  `json:"known,omitzero"`
	Prefix  string          `json:"prefix,omitempty"`
	Sources Map[SourceSpec] `json:"sources,omitzero"`
}

// KnownSpec is what is told of a model.
type KnownSpec struct {
	Doc string `json:"doc,omitempty"`
	Use string `json:"use,omitempty"`
}

// SourceSpec is a place where the CLI itself keeps names of models.
type SourceSpec struct {
	Env    string `json:"env,omitempty"`
	Path   Texts  `json:"path,omitzero"`
	Files  string `json:"files,omitempty"`
	Var    string `json:"var,omitempty"`
	Format string `json:"format,omitempty"`
	Key    Texts  `json:"key,omitzero"`
	Gives  string `json:"gives,omitempty"`
}

// SessionSpec says how the CLI starts and continues conversations.
type SessionSpec struct {
	ID      string   `json:"id,omitempty"`
	Create  []string `json:"create,omitempty"`
	Resume  []string `json:"resume,omitempty"`
	Latest  []string `json:"latest,omitempty"`
	Capture TakeSpec `json:"capture,omitzero"`
	Scope   string   `json:"scope,omitempty"`
}

// OutputSpec says how the answer is read out of what the CLI printed.
type OutputSpec struct {
	Format    string    `json:"format,omitempty"`
	End       string    `json:"end,omitempty"`
	Text      TakeSpec  `json:"text,omitzero"`
	Model     TakeSpec  `json:"model,omitzero"`
	Cost      TakeSpec  `json:"cost,omitzero"`
	CostScope string    `json:"costScope,omitempty"`
	Error     TakeSpec  `json:"error,omitzero"`
	Usage     UsageSpec `json:"usage,omitzero"`
	// An empty list is not an absent one: it says nothing.
	Progress []ProgressSpec `json:"progress,omitzero"`
}

// ProgressSpec reads what a running call does out of records (Take), or out of lines
// that are none (Line).
type ProgressSpec struct {
	When  string `json:"when,omitempty"`
	Label string `json:"label,omitempty"`
	Take  string `json:"take,omitempty"`
	Fold  string `json:"fold,omitempty"`
	Line  string `json:"line,omitempty"`
}

// UsageSpec says where token counts stand.
type UsageSpec struct {
	Scope      string   `json:"scope,omitempty"`
	Input      TakeSpec `json:"input,omitzero"`
	Output     TakeSpec `json:"output,omitzero"`
	CacheRead  TakeSpec `json:"cacheRead,omitzero"`
	CacheWrite TakeSpec `json:"cacheWrite,omitzero"`
	Reasoning  TakeSpec `json:"reasoning,omitzero"`
}

// FailureSpec names the class of a failed run.
type FailureSpec struct {
	Class string    `json:"class"`
	When  string    `json:"when"`
	Hint  string    `json:"hint,omitempty"`
	Retry RetrySpec `json:"retry,omitzero"`
}

// EnvSpec filters the environment of a CLI.
type EnvSpec struct {
	Pass []string    `json:"pass,omitempty"`
	Set  Map[string] `json:"set,omitzero"`
	Drop []string    `json:"drop,omitempty"`
}

// Timeouts bound a run, in milliseconds; nil means not said, 0 never.
type Timeouts struct {
	IdleMs  *int64 `json:"idleMs,omitempty"`
	WallMs  *int64 `json:"wallMs,omitempty"`
	GraceMs *int64 `json:"graceMs,omitempty"`
}

// RiskSpec scores a call.
type RiskSpec struct {
	ID     string `json:"id,omitempty"`
	When   string `json:"when"`
	Score  int    `json:"score"`
	Reason string `json:"reason,omitempty"`
}

// RuleSpec scores a call of any CLI. Its name is its id.
type RuleSpec struct {
	When   string `json:"when"`
	Score  int    `json:"score"`
	Reason string `json:"reason,omitempty"`
}

// PolicySpec says which scores run, which a person decides and which are denied.
type PolicySpec struct {
	Doc      string   `json:"doc,omitempty"`
	Approve  int      `json:"approve"`
	Ask      *int     `json:"ask,omitempty"`
	Deny     []string `json:"deny,omitempty"`
	Human    string   `json:"human,omitempty"`
	Includes string   `json:"includes,omitempty"`
}

// OptimizerSpec says how a text is made shorter that says the same afterwards.
type OptimizerSpec struct {
	Doc      string           `json:"doc,omitempty"`
	Keep     Map[string]      `json:"keep,omitzero"` // RE2 of what no rule touches
	Rules    Map[RewriteSpec] `json:"rules"`
	Examples []RewriteExample `json:"examples,omitempty"`
}

// RewriteSpec replaces what an RE2 matches by a text with groups, $1 or ${name}.
type RewriteSpec struct {
	Match   string `json:"match"`
	Replace string `json:"replace,omitempty"`
}

// RewriteExample is a text and what must become of it.
type RewriteExample struct {
	In  string `json:"in"`
	Out string `json:"out"`
}

// VersionSpec asks the program which version it is.
type VersionSpec struct {
	Argv  []string `json:"argv"`
	Match string   `json:"match,omitempty"`
}

// LoginSpec says by what a login can be seen: variables and files, any of which do.
type LoginSpec struct {
	Env   []string `json:"env,omitempty"`
	Files []string `json:"files,omitempty"`
	Hint  string   `json:"hint,omitempty"`
}

// UpgradeSpec says how the program is brought to another version, and how instead where
// it lies in certain places.
type UpgradeSpec struct {
	Latest StepSpec       `json:"latest,omitzero"`
	Target StepSpec       `json:"target,omitzero"`
	Where  Map[PlaceSpec] `json:"where,omitzero"`
}

// PlaceSpec is a kind of installation, told by the path of the program.
type PlaceSpec struct {
	Path   string   `json:"path"`
	Latest StepSpec `json:"latest,omitzero"`
	Target StepSpec `json:"target,omitzero"`
	Note   string   `json:"note,omitempty"`
}

// ProbeSpec says how the program is asked for what it takes, and which differences
// from the spec are known: options, commands, and values as --option=value.
type ProbeSpec struct {
	Help   [][]string `json:"help,omitempty"`
	Ignore []string   `json:"ignore,omitempty"` // it has them
	Hidden []string   `json:"hidden,omitempty"` // it takes them, and does not say so
}

// ExampleSpec is a call and what must come of it.
type ExampleSpec struct {
	Name    string            `json:"name,omitempty"`
	Version string            `json:"version,omitempty"` // of the program; "" for the newest
	In      map[string]any    `json:"in"`
	Refused string            `json:"refused,omitempty"` // part of what is said
	Mode    Mode              `json:"mode,omitempty"`
	Argv    []string          `json:"argv,omitzero"`
	Stdin   *string           `json:"stdin,omitempty"`
	Env     ExampleEnv        `json:"env,omitzero"`
	Files   Map[any]          `json:"files,omitzero"` // text, or an object
	Risk    []string          `json:"risk,omitzero"`
	Verdict map[string]string `json:"verdict,omitempty"` // by policy
	Stdout  string            `json:"stdout,omitempty"`
	Stderr  string            `json:"stderr,omitempty"`
	Exit    int               `json:"exit,omitempty"`
	Out     *ExampleOut       `json:"out,omitempty"`
}

// ExampleOut is what the captured output of an example must decode to. Only the
// fields that are given are compared.
type ExampleOut struct {
	Text    *string          `json:"text,omitempty"`
	Session *string          `json:"session,omitempty"`
	Model   *string          `json:"model,omitempty"`
	Class   *string          `json:"class,omitempty"`
	Error   *string          `json:"error,omitempty"`
	Usage   map[string]int64 `json:"usage,omitempty"`
	Cost    *float64         `json:"cost,omitempty"`
	// The message of progress when all has been printed, standard error first.
	Progress *string `json:"progress,omitempty"`
}

// ClientSpec tells a person how to add the gateway to an MCP client.
type ClientSpec struct {
	Title string `json:"title"`
	Add   string `json:"add"`
	Note  string `json:"note,omitempty"`
	// Files are where the client keeps its servers: ~/ or {VARIABLE:~/folder}/ in front,
	// of all systems.
	Files  []string     `json:"files,omitempty"`
	Config ClientConfig `json:"config,omitzero"`
}

// ClientConfig says what to write into a client's settings. Without a file there is
// nothing to write.
type ClientConfig struct {
	File  SystemFile `json:"file"`
	Key   Texts      `json:"key"` // path of the object that has the servers by name
	Entry Map[any]   `json:"entry"`
}

// SystemFile is a file, or one for each system, by the names that Go has for systems.
type SystemFile map[string]string

// Settings are the gateway's own.
type Settings struct {
	LogsDB    string        `json:"logsDb,omitempty"`
	EnvFile   string        `json:"envFile,omitempty"`
	Debug     bool          `json:"debug,omitempty"`
	Env       EnvSpec       `json:"env,omitzero"`
	Path      []string      `json:"path,omitempty"`
	Timeouts  Timeouts      `json:"timeouts,omitzero"`
	OutputCap int64         `json:"outputCap,omitempty"`
	Injected  []string      `json:"injected,omitempty"`
	Jobs      JobsSpec      `json:"jobs,omitzero"`
	Sessions  SessionsSpec  `json:"sessions,omitzero"`
	Tools     ToolsSpec     `json:"tools,omitzero"`
	Approvals ApprovalsSpec `json:"approvals,omitzero"`
	Reload    string        `json:"reload,omitempty"` // ReloadHold, ReloadOff, or all changes at once
	// MCPServers are handed to calls that do not say which.
	MCPServers []string `json:"mcpServers,omitempty"`
	// Optimizers are applied to calls that ask for it.
	Optimizers OptimizersSpec `json:"optimizers,omitzero"`
}

// OptimizersSpec names the optimizers of prompts and of answers; "" for none.
type OptimizersSpec struct {
	Prompt   string `json:"prompt,omitempty"`
	Response string `json:"response,omitempty"`
}

// What of a change of the specs takes effect while a gateway runs.
const (
	ReloadAll  = "all"
	ReloadHold = "hold" // all but what widens what calls may do
	ReloadOff  = "off"  // nothing, before a person says so
)

// ToolsSpec are the settings of what clients are shown.
type ToolsSpec struct {
	List     Shown    `json:"list,omitzero"`
	Fallback []string `json:"fallback,omitempty"` // CLIs, where none is found
	Profile  string   `json:"profile,omitempty"`  // "full", which is the default, or "compact"
}

// ApprovalsSpec are the settings of approval; "" and 0 are the defaults.
type ApprovalsSpec struct {
	Strategy string `json:"strategy,omitempty"`
	Policy   string `json:"policy,omitempty"`
	Enforce  bool   `json:"enforce,omitempty"`
	Danger   string `json:"danger,omitempty"`
	AskMs    int64  `json:"askMs,omitempty"`
	// RetentionDays is for how long decisions are kept; 0: for good.
	RetentionDays int64 `json:"retentionDays,omitempty"`
}

// SessionsSpec are the settings of sessions.
type SessionsSpec struct {
	RetentionDays int64 `json:"retentionDays,omitempty"` // since the last turn; 0: kept for good
}

// JobsSpec are the settings of jobs.
type JobsSpec struct {
	DB            string   `json:"db,omitempty"`            // "": that of the record; "none": in memory
	RetentionDays int64    `json:"retentionDays,omitempty"` // 0: kept for good
	SyncMs        int64    `json:"syncMs,omitempty"`        // for which a call waits; 0: to its end
	DedupMs       int64    `json:"dedupMs,omitempty"`       // in which the same call is not made again; 0: it is
	OnCancel      string   `json:"onCancel,omitempty"`      // "kill" or "detach"
	DetachOn      []string `json:"detachOn,omitempty"`      // in a client's reason: not the user's wish, but a limit
	Concurrency   int      `json:"concurrency,omitempty"`   // calls that run at once; 0: any number
	MaxDepth      int      `json:"maxDepth,omitempty"`      // of calls inside of calls
	QueueMs       int64    `json:"queueMs,omitempty"`       // for which a job waits for a place; 0: for good
}
