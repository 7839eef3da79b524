package schema

import _ "embed"

// Starter is the file with which a folder of specs begins: comments, and no spec.
//
//go:embed starter/mine.cue
var Starter string

// Module is cue.mod/module.cue of a folder of specs, so that CUE's own tools find the
// schema, which they look for below cue.mod/pkg.
const Module = `module: "specs.local"
language: version: "v0.17.0"
`
