//go:build !unix

package specfiles

import "io/fs"

// OwnedAlone cannot be read from the mode of a file here: the folder of the user's
// profile protects it.
func OwnedAlone(fs.FileInfo) bool { return true }
