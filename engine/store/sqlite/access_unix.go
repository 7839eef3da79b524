//go:build !windows

package sqlite

import "syscall"

// checkWritable fails if this user may not write the file, or into the folder.
func checkWritable(path string) error { return syscall.Access(path, 2) }
