package engine

import (
	"context"
	"errors"
	"os"
	"time"
)

// errClientDied is why a server stops whose client died.
var errClientDied = errors.New("the process that started the gateway is gone")

// parentEvery is how often a server looks whether its client still lives.
const parentEvery = 2 * time.Second

// whileClientLives is ctx until the client has died. The end of standard input alone does
// not tell: a child of the client may hold the other end of the pipe for as long as it
// lives.
func whileClientLives(ctx context.Context, greeted <-chan struct{}) (context.Context, context.CancelFunc) {
	living, cancel := context.WithCancelCause(ctx)
	go func() {
		tick := time.NewTicker(parentEvery)
		defer tick.Stop()
		if orphaned(living.Done(), greeted, tick.C, os.Getppid) {
			cancel(errClientDied)
		}
	}()
	return living, func() { cancel(nil) }
}

// orphaned returns true when the parent of this process is another one than it was when the
// client had its first response, and false when done is closed. What ended before that was
// not the client but what launched us; and where nobody but the first process of the system
// is our parent, nothing can be seen.
func orphaned(done, greeted <-chan struct{}, tick <-chan time.Time, parent func() int) bool {
	select {
	case <-greeted:
	case <-done:
		return false
	}
	client := parent()
	if client <= 1 {
		return false
	}
	for {
		select {
		case <-tick:
			if parent() != client {
				return true
			}
		case <-done:
			return false
		}
	}
}
