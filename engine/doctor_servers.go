package engine

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// serverDetail describes the definition of an MCP server, for programs.
type serverDetail struct {
	Command string   `json:"command"`
	Path    string   `json:"path,omitempty"` // where its program was found
	Unset   []string `json:"unset,omitempty"`
	Default bool     `json:"default"` // calls that name no servers get it
}

// servers checks the MCP servers that can be passed to CLIs, and the files in which
// some CLIs define their own. None is started.
func (d *doctor) servers(context.Context) (found []Finding) {
	for name, server := range d.catalog.Servers.All() {
		found = append(found, d.server(name, server))
	}
	if len(found) == 0 {
		found = append(found, Finding{Area: AreaServers, Name: "definitions", State: FindingOK, Text: "none; they are defined in specs (mcp)"})
	}
	for _, cli := range d.catalog.CLIs {
		found = append(found, d.ownServers(cli)...)
	}
	return found
}

func (d *doctor) server(name string, server lang.ServerSpec) Finding {
	f := Finding{Area: AreaServers, Name: name, Title: server.Title, State: FindingOK}
	detail := serverDetail{Command: server.Command, Default: d.byDefault(name)}
	facts, fixes := []string{}, []string{}
	path, err := d.host.Find(server.Command)
	if err != nil {
		facts, fixes = append(facts, "program "+server.Command+" not found"), append(fixes, fmt.Sprintf("install it, or set mcp.%s.command to its path", name))
	} else {
		facts, detail.Path = append(facts, path), path
	}
	for _, variable := range server.Env {
		if d.variables.Value(variable) == "" {
			detail.Unset = append(detail.Unset, variable)
		}
	}
	if len(detail.Unset) > 0 {
		facts = append(facts, "not set: "+strings.Join(detail.Unset, ", "))
		fixes = append(fixes, "set "+strings.Join(detail.Unset, ", ")+" in the file of gateway.envFile")
	}
	for _, variable := range server.Env {
		filter := host.Filter{Pass: []string{variable}, Drop: d.catalog.Settings.Env.Drop}
		if !filter.Admits(variable) {
			facts = append(facts, variable+" is withheld from all CLIs")
			fixes = append(fixes, "remove "+variable+" from gateway.env.drop")
		}
	}
	if len(fixes) > 0 {
		if f.State = FindingNote; detail.Default {
			f.State = FindingProblem
			facts = append(facts, "calls that name no servers use it by default, and are refused")
		}
	}
	f.Text, f.Fix, f.Detail = strings.Join(facts, "; "), strings.Join(fixes, "; "), detail
	return f
}

// byDefault reports whether calls get the server that name none.
func (d *doctor) byDefault(name string) bool {
	return slices.ContainsFunc(d.catalog.CLIs, func(cli *catalog.CLI) bool {
		names := d.catalog.Settings.MCPServers
		if cli.MCP.Default != nil {
			names = cli.MCP.Default
		}
		_, takes := cli.Param("mcpServers")
		return takes && slices.Contains(names, name)
	})
}

// ownServers checks the files of a CLI that takes no servers but its own.
func (d *doctor) ownServers(cli *catalog.CLI) []Finding {
	if cli.MCP.Own == nil {
		return nil
	}
	if _, err := d.host.Find(cli.Bin); err != nil {
		return nil
	}
	f := Finding{Area: AreaServers, Name: cli.Name, Title: cli.DisplayName(), State: FindingOK}
	dir, err := os.Getwd()
	if err != nil {
		dir = d.variables.Home()
	}
	own := []string{}
	for _, place := range cli.MCP.Own {
		names, err := d.host.Keys(place.Path, place.Key, dir)
		if err != nil {
			f.State, f.Text = FindingProblem, "its configuration of MCP servers cannot be read: "+err.Error()
			f.Fix = "correct the file; until then, calls that name servers are refused"
			return []Finding{f}
		}
		own = append(own, names...)
	}
	slices.Sort(own)
	f.Text = "accepts only its own servers, and has none"
	if own = slices.Compact(own); len(own) > 0 {
		f.Text = "accepts only its own servers: " + strings.Join(own, ", ")
	}
	return []Finding{f}
}
