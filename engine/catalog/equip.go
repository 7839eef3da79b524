package catalog

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Equipment is what became of the MCP servers of a call: which were asked for, which of
// them the CLI is given, and which cannot be had. Each list is sorted.
type Equipment struct {
	Requested []string `json:"requested"`
	Enabled   []string `json:"enabled"`
	Missing   []string `json:"missing"`

	why     map[string]string // of the missing ones
	strict  bool
	servers []server // the enabled ones
}

// server is one that the CLI is given; of its own ones only the name is known.
type server struct {
	lang.ServerSpec
	name, path string
}

// Notes say why servers are missing that the call goes on without, one line each.
func (e *Equipment) Notes() (lines []string) {
	if e == nil || e.strict {
		return nil
	}
	for _, name := range e.Missing {
		lines = append(lines, fmt.Sprintf("the MCP server %q is missing: %s", name, e.why[name]))
	}
	return lines
}

// Surroundings are what a call must know of the gateway and the machine that it is made
// on, in order to find its MCP servers.
type Surroundings struct {
	Servers lang.Map[lang.ServerSpec] // those that specs define
	Default []string                  // which calls get that do not say
	// Find returns the path of a program.
	Find func(bin string) (string, error)
	// Set reports whether a variable would reach the CLI.
	Set func(variable string) bool
	// Own reads the names of servers out of the CLI's own configuration.
	Own func([]lang.OwnSpec) ([]string, error)
}

// Equip finds the servers of the call. A call that is strict, as it is unless it says
// otherwise, is refused if one cannot be had. Without a server in question it does nothing.
func (c *Call) Equip(s Surroundings) Violations {
	spec := c.CLI.MCP
	if spec.IsZero() {
		return nil
	}
	strict, saysStrict := c.values[ParamStrictMCPConfig].(bool)
	names, asked := c.values[ParamMCPServers].([]string)
	if !asked {
		names = s.Default
		if spec.Default != nil {
			names = spec.Default
		}
	}
	if len(names) == 0 && !asked && !strict {
		return nil
	}
	e := &Equipment{Requested: append([]string{}, names...), Enabled: []string{}, Missing: []string{}, why: map[string]string{}, strict: strict || !saysStrict}
	slices.Sort(e.Requested)
	e.Requested = slices.Compact(e.Requested)
	find := c.defined(s)
	if spec.Own != nil {
		find = c.configured(s)
	}
	var wrong Violations
	for _, name := range e.Requested {
		found, why := find(name)
		if why == "" {
			e.Enabled, e.servers = append(e.Enabled, name), append(e.servers, found)
			continue
		}
		e.Missing = append(e.Missing, name)
		e.why[name] = why
		if e.strict {
			wrong = append(wrong, Violation{Param: ParamMCPServers, Text: fmt.Sprintf("%q is not available: %s", name, why)})
		}
	}
	if wrong != nil {
		wrong[len(wrong)-1].Text += "; " + ParamStrictMCPConfig + ": false goes on without it"
	}
	c.equipment = e
	return wrong
}

// Equipment is what Equip found, nil if no server is in question.
func (c *Call) Equipment() *Equipment { return c.equipment }

// Variables are those that the servers of the call need.
func (c *Call) Variables() (names []string) {
	if c.equipment != nil {
		for _, s := range c.equipment.servers {
			names = append(names, s.Env...)
		}
	}
	return names
}

// defined looks a server up among those of the specs; why says what is wrong with it.
func (c *Call) defined(s Surroundings) func(name string) (found server, why string) {
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
func (c *Call) configured(s Surroundings) func(name string) (found server, why string) {
	known, err := s.Own(c.CLI.MCP.Own)
	return func(name string) (server, string) {
		switch {
		case slices.Contains(known, name):
			return server{name: name}, ""
		case err != nil:
			return server{}, err.Error()
		}
		return server{}, fmt.Sprintf("%s has none of that name in its own configuration", c.CLI.Heading()) + among(name, known, "")
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

// servers writes what the CLI is told about its servers.
func (r *renderer) servers() {
	e, spec := r.call.equipment, r.call.CLI.MCP
	if e == nil {
		return
	}
	put := func(key string, words []string, slots map[string]string) {
		for i, word := range words {
			text := placeholder.ReplaceAllStringFunc(word, func(slot string) string {
				if value, ok := slots[slot]; ok {
					return value
				}
				return slot
			})
			r.put(text, ParamMCPServers, fmt.Sprintf("cli.%s.mcp.%s.%d", r.call.CLI.Name, key, i))
		}
	}
	general := map[string]string{}
	switch file := spec.File; {
	case file.IsZero() || len(e.servers) == 0:
	case file.Env != "":
		from := fmt.Sprintf("cli.%s.mcp.file.env", r.call.CLI.Name)
		r.variable(file.Env, strings.TrimSuffix(renderFile(file, e.servers), "\n"), ParamMCPServers, from)
	default:
		r.cmd.Files = append(r.cmd.Files, File{Name: file.Name, Text: renderFile(file, e.servers)})
		general[slotFile] = r.file(file.Name)
	}
	if len(e.servers) > 0 {
		put("words", spec.Words, general)
	}
	for _, s := range e.servers {
		slots := maps.Clone(general)
		slots[slotName] = s.name
		for slot, value := range s.slots() {
			if slot != slotName {
				slots[slot] = string(text.MustJSON(value))
			}
		}
		put("each", spec.Each, slots)
		if s.Trust {
			put("trusted", spec.Trusted, slots)
		}
	}
	if e.strict {
		put("strict", spec.Strict, nil)
		if len(e.servers) == 0 {
			put("none", spec.None, nil)
		}
	}
}

// slots are what a template about the server can say.
func (s server) slots() map[string]any {
	return map[string]any{slotName: s.name, slotCommand: s.path, slotArgs: append([]string{}, s.Args...), slotEnv: append([]string{}, s.Env...)}
}

// render writes the file.
func renderFile(f lang.MCPFile, servers []server) string {
	byName, list := map[string]any{}, []any{}
	for _, s := range servers {
		body := fill(f.Server, s.slots())
		byName[s.name] = body
		list = append(list, body)
	}
	body := fill(f.Body, map[string]any{slotServers: byName, slotList: list})
	for _, s := range servers {
		body = lay(body, fill(f.Each, s.slots()))
		if s.Trust {
			body = lay(body, fill(f.Trusted, s.slots()))
		}
	}
	text := string(text.MustJSON(body))
	if f.Text == "" {
		return text + "\n"
	}
	return strings.Replace(f.Text, slotJSON, text, 1)
}

// lay puts one JSON value over another: objects field by field, anything else as a whole.
func lay(under, over any) any {
	into, ok := under.(map[string]any)
	fields, both := over.(map[string]any)
	if !ok || !both {
		return over
	}
	for key, value := range fields {
		if old, there := into[key]; there {
			value = lay(old, value)
		}
		into[key] = value
	}
	return into
}

// fill is the template with values in the places of its slots. A list of words that
// stands in a list becomes part of it.
func fill(template any, slots map[string]any) any {
	switch v := template.(type) {
	case string:
		if value, ok := slots[v]; ok {
			return value
		}
	case []any:
		out := make([]any, 0, len(v))
		for _, item := range v {
			filled := fill(item, slots)
			words, ok := filled.([]string)
			if !ok {
				out = append(out, filled)
			}
			for _, word := range words {
				out = append(out, word)
			}
		}
		return out
	case map[string]any:
		name, _ := slots[slotName].(string)
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[strings.ReplaceAll(key, slotName, name)] = fill(item, slots)
		}
		return out
	}
	return template
}

// File is a private file that a call needs. It is written before the program starts.
type File struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// PromptFile is the file of a prompt that does not go over standard input.
const PromptFile = "prompt.txt"

// Anywhere is the folder of a command that will not be run: the path of a file of it
// is written as {NAME.file}, without the ending of its name.
const Anywhere = "{}"

// file is the path of a file of the call.
func (r *renderer) file(name string) string {
	if r.folder == Anywhere {
		return "{" + strings.TrimSuffix(name, path.Ext(name)) + ".file}"
	}
	return strings.TrimSuffix(r.folder, "/") + "/" + name
}
