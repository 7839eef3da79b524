//go:build !windows

package store

import "syscall"

// mayWrite fails if this user may not write the file, or into the folder.
func mayWrite(path string) error { return syscall.Access(path, 2) }
