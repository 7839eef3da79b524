package process

import (
	"github.com/llm-cli-gateway/gateway/engine/process/limits"
	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

// EndOrphans ends what is left of a command whose gateway was killed: every process
// that carries its cookie. It returns how many there were. No gateway may be running the
// command any more.
func EndOrphans(cookie string) (ended int) {
	if cookie == "" {
		return 0
	}
	return proctree.KillAll(func() []proctree.Process { return proctree.Snapshot().WithCookie(cookie) }, limits.KillBudget)
}
