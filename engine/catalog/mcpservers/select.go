package mcpservers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Selection is what became of the MCP servers of a call: which were asked for, which of
// them the CLI is given, and which cannot be had. Each list is sorted.
type Selection struct {
	Requested []string          `json:"requested"`
	Enabled   []string          `json:"enabled"`
	Missing   []string          `json:"missing"`
	Reasons   map[string]string `json:"reasons,omitempty"` // why servers are missing that the call went on without

	strict  bool
	servers []server // the enabled ones
}

// server is one that the CLI is given; of its own ones only the name is known.
type server struct {
	lang.ServerSpec
	name, path string
}

// Notes say why servers are missing that the call goes on without, one line each.
func (s *Selection) Notes() (lines []string) {
	if s == nil {
		return nil
	}
	for _, name := range s.Missing {
		if why := s.Reasons[name]; why != "" { // else it was refused
			lines = append(lines, fmt.Sprintf("the MCP server %q is missing: %s", name, why))
		}
	}
	return lines
}

// Sources are what must be known of the gateway and the machine in order to find servers.
type Sources struct {
	Servers lang.Map[lang.ServerSpec] // those that specs define
	Default []string                  // which calls get that do not say
	// Find returns the path of a program.
	Find func(bin string) (string, error)
	// Set reports whether a variable would reach the CLI.
	Set func(variable string) bool
	// Own reads the names of servers out of the CLI's own configuration.
	Own func([]lang.OwnSpec) ([]string, error)
}

// Request is what a call says of its servers.
type Request struct {
	Names  []string // that it asks for; nil if it leaves that to the defaults
	Strict *bool    // it is refused if one cannot be had; nil if it does not say
}

// Select finds the servers of a call. A call that is strict, as it is unless it says
// otherwise, is wrong if one cannot be had. Without a server in question the selection is
// nil. The heading names the CLI.
func Select(spec lang.MCPSpec, heading string, r Request, sources Sources) (selection *Selection, wrong []string) {
	names := r.Names
	if names == nil {
		names = sources.Default
		if spec.Default != nil {
			names = spec.Default
		}
	}
	if len(names) == 0 && r.Names == nil && (r.Strict == nil || !*r.Strict) {
		return nil, nil
	}
	s := &Selection{Requested: append([]string{}, names...), Enabled: []string{}, Missing: []string{}, strict: r.Strict == nil || *r.Strict}
	slices.Sort(s.Requested)
	s.Requested = slices.Compact(s.Requested)
	find := defined(sources)
	if spec.Own != nil {
		find = configured(spec, heading, sources)
	}
	for _, name := range s.Requested {
		found, why := find(name)
		if why == "" {
			s.Enabled, s.servers = append(s.Enabled, name), append(s.servers, found)
			continue
		}
		s.Missing = append(s.Missing, name)
		if s.strict {
			wrong = append(wrong, fmt.Sprintf("%q is not available: %s", name, why))
			continue
		}
		if s.Reasons == nil {
			s.Reasons = map[string]string{}
		}
		s.Reasons[name] = why
	}
	return s, wrong
}

// Variables are those that the servers need.
func (s *Selection) Variables() (names []string) {
	if s == nil {
		return nil
	}
	for _, server := range s.servers {
		names = append(names, server.Env...)
	}
	return names
}

// defined looks a server up among those of the specs; why says what is wrong with it.
func defined(s Sources) func(name string) (found server, why string) {
	return func(name string) (server, string) {
		spec, ok := s.Servers.Get(name)
		if !ok {
			return server{}, "no MCP server of that name is defined" + among(name, s.Servers.Keys(), "; add it to a spec: mcp: NAME: command: ...")
		}
		for _, variable := range spec.Env {
			if !s.Set(variable) {
				return server{}, fmt.Sprintf("it needs %s, which is not set; set it in the file that gateway.envFile names", variable)
			}
		}
		file, err := s.Find(spec.Command)
		if err != nil {
			return server{}, err.Error()
		}
		return server{ServerSpec: spec, name: name, path: file}, ""
	}
}

// configured looks a server up in the CLI's own configuration.
func configured(spec lang.MCPSpec, heading string, s Sources) func(name string) (found server, why string) {
	known, err := s.Own(spec.Own)
	return func(name string) (server, string) {
		switch {
		case slices.Contains(known, name):
			return server{name: name}, ""
		case err != nil:
			return server{}, err.Error()
		}
		return server{}, fmt.Sprintf("%s has none of that name in its own configuration", heading) + among(name, known, "")
	}
}

// among says which names there are, the nearest first if one is near.
func among(name string, names []string, none string) string {
	if near := text.DidYouMean(name, names); near != "" {
		return " (" + near + ")"
	}
	if len(names) == 0 {
		return none
	}
	return " (there are " + text.Shorten(strings.Join(slices.Sorted(slices.Values(names)), ", "), 200) + ")"
}
