package catalog

import (
	"path"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/mcpservers"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// servers checks the definitions of MCP servers, and keeps them.
func (c *Catalog) servers(s *lang.Spec, ps lang.Problems) {
	c.Servers = s.MCP
	mcpservers.CheckDefinitions(s.MCP, s.Gateway.MCPServers, ps)
	for _, cli := range c.CLIs {
		mcpservers.CheckDefault(cli.MCP, s.MCP, ps.At("cli", cli.Name, "mcp"))
	}
}

// SelectServers finds the MCP servers of the call. Where the CLI takes none it does nothing.
func (c *Call) SelectServers(sources mcpservers.Sources) Violations {
	if c.CLI.MCP.IsZero() {
		return nil
	}
	var request mcpservers.Request
	if names, asked := c.values[ParamMCPServers].([]string); asked {
		request.Names = append([]string{}, names...)
	}
	if strict, says := c.values[ParamStrictMCPConfig].(bool); says {
		request.Strict = &strict
	}
	selection, missing := mcpservers.Select(c.CLI.MCP, c.CLI.DisplayName(), request, sources)
	if selection == nil {
		return nil
	}
	c.selection = selection
	var wrong Violations
	for _, text := range missing {
		wrong = append(wrong, Violation{Param: ParamMCPServers, Text: text})
	}
	if wrong != nil {
		wrong[len(wrong)-1].Text += "; " + ParamStrictMCPConfig + ": false goes on without it"
	}
	return wrong
}

// Servers is what SelectServers found, nil if no server is in question.
func (c *Call) Servers() *mcpservers.Selection { return c.selection }

// servers writes the words and files that configure the servers of the CLI.
func (r *renderer) servers() {
	spec, from := r.call.CLI.MCP, "cli."+r.call.CLI.Name+".mcp."
	out := r.call.selection.Render(spec, r.file)
	if out.Variable != nil {
		r.variable(spec.File.Env, *out.Variable, ParamMCPServers, from+"file.env")
	}
	if out.File != nil {
		r.cmd.Files = append(r.cmd.Files, File{Name: spec.File.Name, Text: *out.File})
	}
	for _, w := range out.Words {
		r.put(w.Text, ParamMCPServers, from+w.From)
	}
}

// File is a private file that a call needs. It is written before the program starts.
type File struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// PromptFile is the file of a prompt that does not go over standard input.
const PromptFile = mcpservers.PromptFile

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
