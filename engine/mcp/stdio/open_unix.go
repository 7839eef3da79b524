//go:build unix

package stdio

import (
	"context"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// WhileRead returns a context that ends when nobody can read out any more, or with ctx.
// A client that was killed closes both its ends at once; one that only finished sending
// still waits for answers. A write would tell the two apart, but there may be nothing to
// write for a long time. It cannot tell for an out that is not an [*os.File].
func WhileRead(ctx context.Context, out io.Writer) (context.Context, context.CancelFunc) {
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
				// No events are asked for: errors and hang-ups are always reported.
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
