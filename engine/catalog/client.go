package catalog

import (
	"path"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// clients checks what is to be written into settings of clients.
func (c *Catalog) clients(ps lang.Problems) {
	for name, client := range c.Clients.All() {
		at := ps.At("client", name, "config")
		for system, file := range client.Config.File {
			place := at.At("file")
			if system != lang.AnySystem {
				place = place.At(system)
			}
			if ext := path.Ext(file); !slices.Contains([]string{".json", ".jsonc", ".toml"}, ext) {
				place.Add("client", "a file %q is neither JSON nor TOML", ext)
			}
		}
		if client.Config.File != nil && !strings.Contains(string(text.MustJSON(client.Config.Entry)), lang.SlotGateway) {
			problem := at.At("entry").Add("client", "does not name the program")
			problem.Hint, problem.Key = "write "+lang.SlotGateway+" where its path belongs", true
		}
	}
}
