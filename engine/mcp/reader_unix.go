//go:build unix

package mcp

import (
	"context"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// whileRead returns a context that ends when nobody can read out any more. A client
// that was killed closes both its ends at once; one that only said all it had to say
// still waits for answers. Writing would tell them apart, but there may be nothing
// to write for a long time.
func whileRead(ctx context.Context, out io.Writer) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	f, ok := out.(*os.File)
	if !ok {
		return ctx, cancel
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return ctx, cancel
	}
	go func() {
		defer cancel()
		for ctx.Err() == nil {
			gone := false
			err := raw.Control(func(fd uintptr) {
				// No events are asked for: errors and hang-ups are told all the same.
				poll := []unix.PollFd{{Fd: int32(fd)}}
				n, err := unix.Poll(poll, 0)
				gone = err == nil && n > 0
			})
			if err != nil || gone {
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(500 * time.Millisecond):
			}
		}
	}()
	return ctx, cancel
}
