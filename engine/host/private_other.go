//go:build !unix

package host

import "io/fs"

// Exposed cannot check this here: permissions are not in the mode of a file.
func Exposed(fs.FileInfo, fs.FileMode) string { return "" }
