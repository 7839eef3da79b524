package outcome

import (
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

const unrecorded = "the answer was not recorded"

// Dropped is why no answer is recorded where a setting has it so.
const Dropped = "as gateway.redact.answers has it"

// Unrecorded takes the answer from the end of a row, which says why from then on.
func Unrecorded(end *store.Outcome, why string) {
	end.Response = ""
	end.Detail += "; " + unrecorded + ", " + why
}

// WhyUnrecorded says that an answer was not recorded, and why; "" if it was.
func WhyUnrecorded(end store.Outcome) string {
	_, why, found := strings.Cut(end.Detail, unrecorded)
	if !found {
		return ""
	}
	why, _, _ = strings.Cut(why, ": ") // what else is told of the end
	return unrecorded + why
}
