package lang

// ServerSpec is an MCP server that can be handed to a CLI. Its program is started by
// the CLI, so that only names of variables are known here.
type ServerSpec struct {
	Title   string   `json:"title,omitempty"`
	Command string   `json:"command"`
	Args    []string `json:"args,omitempty"`
	Env     []string `json:"env,omitempty"`   // variables that it needs
	Trust   bool     `json:"trust,omitempty"` // its tools run unasked
}

// MCPSpec says how a CLI takes MCP servers.
type MCPSpec struct {
	Default []string `json:"default,omitzero"` // over the gateway's; empty is not absent
	Words   []string `json:"words,omitempty"`  // once, if there is a server
	Each    []string `json:"each,omitempty"`   // for each server
	Trusted []string `json:"trusted,omitempty"`
	Strict  []string `json:"strict,omitempty"` // to have no other servers
	None    []string `json:"none,omitempty"`   // to have no other servers, and there is none
	File    MCPFile  `json:"file,omitzero"`
	// Own are the places where the CLI's own configuration lists servers. They are then
	// the only ones there are.
	Own []OwnSpec `json:"own,omitempty"`
}

// MCPFile is a private file that is made for each call, or what would stand in one.
type MCPFile struct {
	Name   string         `json:"name,omitempty"`
	Env    string         `json:"env,omitempty"`  // variable that holds the text instead of a file
	Text   string         `json:"text,omitempty"` // around {json}
	Body   map[string]any `json:"body"`
	Server map[string]any `json:"server"` // what {servers} and {list} have for each
	// What lies over the body for each server, and then for each with trust.
	Each    map[string]any `json:"each,omitempty"`
	Trusted map[string]any `json:"trusted,omitempty"`
}

func (f MCPFile) IsZero() bool { return f.Name == "" && f.Env == "" && f.Body == nil }

// OwnSpec is an object in a JSON file whose keys are names of servers.
type OwnSpec struct {
	Path string `json:"path"`
	Key  string `json:"key"`
}

func (s MCPSpec) IsZero() bool {
	return s.Default == nil && s.Words == nil && s.Each == nil && s.Trusted == nil && s.Strict == nil && s.None == nil && s.File.IsZero() && s.Own == nil
}
