// Package queue says in which pools a job takes its place before it runs.
//
// It hides the names of the pools, and which calls share one. It must not know how a place is
// waited for.
package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/job/lease"
	"github.com/llm-cli-gateway/gateway/engine/job/worktree"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// Semaphores are those that a call in a directory must acquire, in the folder of the pools, the
// narrowest first: the one of its conversation, that of its working tree, that of its CLI, and
// that of all CLIs.
//
// A call that is made from inside a job has pools of its own at each depth: it must
// not wait for a slot that its own caller holds.
func Semaphores(folder string, c *catalog.Catalog, bound *catalog.Call, dir string, depth int) []supervisor.Semaphore {
	var pools []supervisor.Semaphore
	add := func(size int, name string) {
		if size > 0 {
			pools = append(pools, supervisor.Semaphore{Dir: filepath.Join(folder, name), Size: size})
		}
	}
	cli := bound.CLI
	if conversation := bound.Conversation(); conversation != "" || bound.Mode == lang.Latest {
		if conversation == "" {
			conversation = "the newest of " + dir
		}
		add(1, TurnPool(cli.Name, conversation))
	}
	if c.Settings.Jobs.SameTree == TreeWait && Writes(&bound.Access) {
		add(1, fmt.Sprintf("%s%s-%d", treePrefix, digest(worktree.Of(dir)), depth))
	}
	add(cli.Concurrency, fmt.Sprintf("cli-%s-%d", cli.Name, depth))
	add(c.Settings.Jobs.Concurrency, fmt.Sprintf("all-%d", depth))
	return pools
}

// TreeWait is the setting gateway.jobs.sameTree by which jobs that write in one working tree take
// turns.
const TreeWait = "wait"

// TurnPrefix begins the name of a pool in which a conversation takes turns.
const TurnPrefix = "turn-"

// treePrefix begins the name of a pool in which jobs that write in a tree take turns.
const treePrefix = "tree-"

// TurnPool is the pool in which a conversation takes turns.
func TurnPool(cli, conversation string) string {
	return TurnPrefix + digest(cli+"\x00"+conversation)
}

func digest(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:12])
}

// Writes reports whether the agent of a job may write by what is recorded of it.
func Writes(a *access.Access) bool { return a != nil && access.Named(a.Words) >= access.Edit }

// Overlap reports whether two jobs wait for a place in the same pool.
func Overlap(a, b []supervisor.Semaphore) bool {
	for _, p := range a {
		for _, q := range b {
			if p.Dir == q.Dir {
				return true
			}
		}
	}
	return false
}

// turnLockTimeout is how long a turn waits for another gateway that starts one, and turnLockPoll
// the time between two attempts: starting takes a few milliseconds.
const turnLockTimeout, turnLockPoll = 5 * time.Second, time.Millisecond

// LockTurn makes the turns of a session queue in the order of their rows: the one
// that begins it must come first. The lock is held until done is called.
func LockTurn(ctx context.Context, folder, cli, session string) (done func()) {
	if session == "" || os.MkdirAll(folder, 0o700) != nil {
		return func() {}
	}
	// Not in the pool, which is removed when nobody uses it: some sessions share a file.
	name := "order-" + TurnPool(cli, session)[len(TurnPrefix):][:2]
	file, err := os.OpenFile(filepath.Join(folder, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return func() {}
	}
	// A gateway that hangs must not block the others for ever.
	for deadline := time.Now().Add(turnLockTimeout); !lease.Lock(file) && ctx.Err() == nil && time.Now().Before(deadline); {
		time.Sleep(turnLockPoll)
	}
	return func() { file.Close() }
}
