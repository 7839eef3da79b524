//go:build !linux

package process

import (
	"errors"
	"os"
)

// punchHole is not attempted: a command that exceeds the cap is ended.
func punchHole(*os.File, int64, int64) error { return errors.ErrUnsupported }

// full cannot be told here; the child's own error message has to do.
func (s *spool) full(status) bool { return false }
