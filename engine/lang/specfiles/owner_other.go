//go:build !unix

package specfiles

import "io/fs"

func foreign(string, fs.FileInfo) (why, fix string) { return "", "" }

func ForeignFolder(string) (name, why, fix string) { return "", "", "" }
