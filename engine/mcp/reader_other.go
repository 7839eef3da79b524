//go:build !unix

package mcp

import (
	"context"
	"io"
)

// whileRead cannot tell here; a write will.
func whileRead(ctx context.Context, _ io.Writer) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}
