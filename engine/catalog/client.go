package catalog

import (
	"path"
	"slices"
	"strings"
)

// clients checks what is to be written into settings of clients.
func (c *Catalog) clients(ps problems) {
	for name, client := range c.Clients.All() {
		at := ps.at("client", name, "config")
		for system, file := range client.Config.File {
			place := at.at("file")
			if system != anySystem {
				place = place.at(system)
			}
			if ext := path.Ext(file); !slices.Contains([]string{".json", ".jsonc", ".toml"}, ext) {
				place.add("client", "a file %q is neither JSON nor TOML", ext)
			}
		}
		if client.Config.File != nil && !strings.Contains(string(encode(client.Config.Entry)), SlotGateway) {
			problem := at.at("entry").add("client", "names no program")
			problem.Hint, problem.Key = "write "+SlotGateway+" where its path belongs", true
		}
	}
}
