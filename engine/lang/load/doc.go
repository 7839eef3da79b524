// Package load turns spec text into a catalog.Catalog and everything that is wrong
// with the text into diagnostics with positions.
//
// It hides CUE and YAML: which of them a file is written in, how layers are merged,
// how the schema is applied. Nothing of CUE outlives Load, since a CUE context
// grows with all that was ever evaluated in it. The package knows the language
// (schema/schema.cue) only as a schema, and no CLI at all; it runs nothing.
//
// The way of a spec: each file becomes a tree of plain data with positions, read off
// its syntax where that is all there is (parse.go, data.go), else evaluated by CUE
// (eval.go, explain.go), for a gateway in another process (bounded.go, transfer.go). The trees of a layer are joined, layers are laid over one
// another (merge.go). The outcome is held against the schema, by a walk that explains
// (shape.go, check.go) and by CUE that decides (verify.go). What passes is compiled
// (load.go), and what does not is compiled as far as it goes, so that all
// problems show at once (salvage.go). Specs that ship with the binary skip all of
// this (snapshot.go).
//
// Beside that it serves those who write specs where that needs its own reading of a file:
// canonical form (format.go), new names of keys (migrate.go) and locks (lock.go).
// The rest of their tools is engine/lang/author.
//
// Evaluation of CUE cannot be cancelled or bounded from inside its process. Who reads files
// of a user passes an Evaluator (Options, Format), as package evaluate has one.
package load
