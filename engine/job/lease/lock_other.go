//go:build !unix

package lease

import "os"

// Lock cannot be had here, so no gateway has a name and none is taken for dead.
func Lock(*os.File) bool { return false }
