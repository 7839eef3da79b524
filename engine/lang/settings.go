package lang

import "cmp"

// Values of Settings.Reload: which changes of the specs take effect while a gateway runs.
const (
	ReloadAll  = "all"
	ReloadHold = "hold" // all but what widens what calls may do
	ReloadOff  = "off"  // nothing, before a person says so
)

// Values of RedactSpec: what the record keeps of a kind of text.
const (
	RedactMask = "mask" // it without secrets
	RedactDrop = "drop" // nothing
	RedactOff  = "off"  // it as it is
)

// Redaction is a value of RedactSpec, or the default if it is empty.
func Redaction(value string) string { return cmp.Or(value, RedactMask) }
