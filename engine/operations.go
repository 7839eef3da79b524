package engine

import _ "embed"

// Operations is OPERATIONS.md, the page for those who run the gateway. Its sections are
// the topics of `gateway help`.
//
//go:embed OPERATIONS.md
var Operations string
