//go:build !unix

package spec

import "io/fs"

func foreign(fs.FileInfo) string { return "" }
