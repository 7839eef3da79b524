//go:build !linux

package sqlite

// lockHolder is not known here.
func lockHolder(...string) (pid int, name string, stopped bool) { return 0, "", false }
