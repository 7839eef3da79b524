package schema

import _ "embed"

// Reference is README.md, the reference of the spec language. Its headings are paths of
// fields, such as cli.prompt.
//
//go:embed README.md
var Reference string
