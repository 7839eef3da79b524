//go:build !unix

package stdio

import (
	"context"
	"io"
)

// WhileRead returns a context that ends with ctx: this system does not tell when a
// reader is gone before the next write.
func WhileRead(ctx context.Context, _ io.Writer) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}
