package environment

import (
	"errors"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/mcpservers"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// SelectServers finds the MCP servers of a call that will run in dir.
func SelectServers(h *host.Host, c *catalog.Catalog, call *catalog.Call, dir string) catalog.Violations {
	own := func(places []lang.OwnSpec) (names []string, err error) {
		for _, place := range places {
			found, wrong := h.Keys(place.Path, place.Key, dir)
			names, err = append(names, found...), errors.Join(err, wrong)
		}
		return names, err
	}
	if places := call.NeedsOwnServers(); places != nil {
		if !call.Place.Trusted { // the words keep the servers of the directory out
			places = slices.DeleteFunc(slices.Clone(places), func(p lang.OwnSpec) bool { return !p.Untrusted && !strings.ContainsAny(p.Path[:1], "/~{") })
		}
		names, err := own(places)
		if err != nil {
			return catalog.Violations{{Param: catalog.ParamAccess, Text: "the MCP servers of its own configuration, which the level switches off, cannot be read: " + err.Error()}}
		}
		call.SetOwnServers(names)
	}
	return call.SelectServers(mcpservers.Sources{
		Servers: c.Servers, Default: c.Settings.MCPServers, Find: h.Find,
		Set: func(variable string) bool {
			filter := OfCall(c, call, catalog.Command{Env: map[string]string{}}, dir)
			filter.Pass = []string{variable}
			environ, err := h.Environ(filter)
			return err == nil && slices.ContainsFunc(environ, func(kv string) bool {
				value, ok := strings.CutPrefix(kv, variable+"=")
				return ok && value != "" // clients pass on empty ones
			})
		},
		Own: own,
	})
}

// ServerVariables are those that MCP servers may have received from us.
func ServerVariables(c *catalog.Catalog) (names []string) {
	for _, server := range c.Servers.All() {
		names = append(names, server.Env...)
	}
	return names
}
