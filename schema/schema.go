// Package schema holds the CUE schema of the spec language as text, so that the
// binary carries it. It knows nothing of how the schema is applied.
package schema

import _ "embed"

//go:generate go run ./gen -root ..

// Text is schema.cue, the definition that every spec file is held against.
//
//go:embed schema.cue
var Text string

// Import is the path under which a spec file may import the schema.
const Import = "gateway.dev/schema"
