package main

import (
	"path/filepath"
	"testing"
)

// TestCurrent holds that what is committed is what schema.cue says.
func TestCurrent(t *testing.T) {
	if err := run(filepath.Join("..", ".."), true); err != nil {
		t.Error(err)
	}
}
