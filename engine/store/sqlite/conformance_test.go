package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store/storetest"
)

func TestFileIsAStore(t *testing.T) {
	storetest.Exercise(t, func(t *testing.T) storetest.Store {
		s := newStore(t)
		if s.Volatile() {
			t.Error("a file is volatile")
		}
		return s
	})
}

func TestMemoryIsAStore(t *testing.T) {
	storetest.Exercise(t, func(t *testing.T) storetest.Store {
		s, err := OpenMemory()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		if !s.Volatile() {
			t.Error("memory is not volatile")
		}
		return s
	})
}

// TestOneBeginsOverTwoHandles: they have no lock in common but the file's.
func TestOneBeginsOverTwoHandles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	storetest.OneBegins(t, mustOpen(t, path), mustOpen(t, path))
}
