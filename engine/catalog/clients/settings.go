package clients

import (
	"path"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// settings checks what is to be written into the settings of a client.
func settings(config lang.ClientConfig, ps lang.Problems) {
	for system, file := range config.File {
		place := ps.At("file")
		if system != lang.AnySystem {
			place = place.At(system)
		}
		if ext := path.Ext(file); !slices.Contains([]string{".json", ".jsonc", ".toml"}, ext) {
			place.Add("client", "a file %q is neither JSON nor TOML", ext)
		}
	}
	if config.File != nil && !strings.Contains(string(text.MustJSON(config.Entry)), lang.SlotGateway) {
		problem := ps.At("entry").Add("client", "does not name the program")
		problem.Hint, problem.Key = "write "+lang.SlotGateway+" where its path belongs", true
	}
}
