//go:build unix && !linux

package job

import "errors"

func mountSmall(string) error { return errors.ErrUnsupported }

func unmount(string) {}
