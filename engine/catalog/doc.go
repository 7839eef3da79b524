// Package plan is the compiled form of the specs and the pure functions over it:
// binding arguments to a call, rendering a call as a command line, decoding what a
// command printed, and the JSON schemas of the tools.
//
// It hides expressions and how a value may reach a command line. Nothing here
// starts a process, reads a file, looks at a clock or knows how specs are written:
// the same catalog and the same input give the same result.
package catalog
