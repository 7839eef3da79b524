package lang

import "reflect"

// IsZero reports whether there is no file.
func (f OutputFileSpec) IsZero() bool {
	return reflect.ValueOf(f).IsZero() || f.Name != "" && f.Words != nil && len(f.Words) == 0 && f.Env == ""
}
