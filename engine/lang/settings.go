package lang

// Values of Settings.Reload: which changes of the specs take effect while a gateway runs.
const (
	ReloadAll  = "all"
	ReloadHold = "hold" // all but what widens what calls may do
	ReloadOff  = "off"  // nothing, before a person says so
)
