package lang

import "strings"

// Variable is the environment variable that names another file, or another folder, for
// a source of that name.
func (s SourceSpec) Variable(prefix, name string) string {
	if s.Var != "" {
		return s.Var
	}
	return prefix + "_" + strings.ToUpper(name) + "_PATH"
}

// What a source gives.
const (
	GivesDefault  = "default"  // the model that the CLI takes when none is passed
	GivesModels   = "models"   // models that can be named
	GivesObserved = "observed" // models that were used
)

// What is what the source gives.
func (s SourceSpec) What() string {
	if s.Gives == "" {
		return GivesDefault
	}
	return s.Gives
}

// Formats of files that sources are read from.
const (
	FormatJSON  = "json" // comments and commas before a closing bracket do no harm
	FormatJSONL = "jsonl"
	FormatTOML  = "toml"
)

// FormatOf is the format of a file: the one that is said, or that of its ending, or "".
func (s SourceSpec) FormatOf(file string) string {
	if s.Format != "" {
		return s.Format
	}
	for _, format := range []string{FormatJSON, FormatJSONL, FormatTOML} {
		if strings.HasSuffix(file, "."+format) {
			return format
		}
	}
	return ""
}
