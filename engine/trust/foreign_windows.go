package trust

import "io/fs"

// foreign cannot be found out here.
func foreign(fs.FileInfo) bool { return false }
