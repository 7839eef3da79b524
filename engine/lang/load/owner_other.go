//go:build !unix

package load

import "io/fs"

func foreign(string, fs.FileInfo) (why, fix string) { return "", "" }

func foreignFolder(string) (name, why, fix string) { return "", "", "" }
