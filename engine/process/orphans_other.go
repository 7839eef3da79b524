//go:build !linux

package process

// EndOrphans cannot find the processes of a dead gateway here.
func EndOrphans(string) (ended int) { return 0 }
