package job

import (
	"encoding/json"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
)

// savedOfPrompt is the name among the recorded arguments of a call under which stands
// what was saved of its prompt. No parameter can have it.
const savedOfPrompt = "prompt.saved"

// Saved is what was saved of the prompt of the job, nil if it was not to be shortened.
func (j Job) Saved() *catalog.Saving {
	var args struct {
		Saved *catalog.Saving `json:"prompt.saved"`
	}
	if json.Unmarshal(j.Row.Args, &args) != nil { // cut, in a list
		return nil
	}
	return args.Saved
}
