//go:build unix

package stdio

import (
	"os"
	"testing"
	"time"
)

func TestWhileReadEndsWithTheReader(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, cancel := WhileRead(t.Context(), w)
	defer cancel()
	if ctx.Err() != nil {
		t.Fatal("ended while somebody could still read")
	}
	r.Close()
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("a closed reader was not noticed")
	}
}
