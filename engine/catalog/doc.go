// Package catalog is the compiled form of the specs and the pure functions over it:
// binding arguments to a call, rendering a call as a command line, and the JSON schemas
// and listings of the tools.
//
// It hides how a value may reach a command line. Nothing here starts a process, reads a
// file, looks at a clock or knows how specs are written: the same catalog and the same
// input give the same result. What is compiled from one section alone is compiled by the
// packages below: access, carrier and argvalue (one parameter, one argument), clients,
// extract (output), listing (what clients are shown), mcpservers, modelnames, optimize (optimizers), upgrade,
// versionpatch; and by policy.
package catalog
