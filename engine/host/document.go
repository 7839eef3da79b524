package host

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"
)

// Document is the object that a file of settings holds, by the ending of its name: TOML, YAML,
// or JSON, in which may be what PlainJSON takes away. An empty file holds none.
func Document(file string, text []byte) (whole map[string]any, err error) {
	switch ending := filepath.Ext(file); {
	case len(bytes.TrimSpace(text)) == 0:
	case ending == ".toml" && NestingDepth(text) > MaxTOMLDepth:
		err = fmt.Errorf("it nests deeper than %d levels", MaxTOMLDepth)
	case ending == ".toml":
		err = toml.Unmarshal(text, &whole)
	case ending == ".yaml" || ending == ".yml":
		err = yaml.Unmarshal(text, &whole)
	default:
		err = json.Unmarshal(PlainJSON(text), &whole)
	}
	return whole, err
}
