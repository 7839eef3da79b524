//go:build unix

package process

import (
	"github.com/llm-cli-gateway/gateway/engine/process/limits"
	"github.com/llm-cli-gateway/gateway/engine/process/proctree"
)

// terminate asks the leader and its descendants to end.
func (k *child) terminate() { proctree.Terminate(k.pid, k.members()) }

// kill kills them.
func (k *child) kill() { proctree.Kill(k.pid, k.members()) }

// sweep ends what the leader left behind. It returns how many processes it had
// to end and which of them are still there. If they were asked to end before,
// they are not asked again.
func (k *child) sweep(asked bool) (swept int, left []int) {
	k.sweeper = proctree.NewSweeper(k.pid, k.remaining)
	swept, processes := k.sweeper.Sweep(asked)
	for _, p := range processes {
		left = append(left, p.PID)
	}
	return swept, left
}

// killLeft goes on killing what sweep had to leave.
func (k *child) killLeft() { k.sweeper.Kill(limits.KillBudget) }
