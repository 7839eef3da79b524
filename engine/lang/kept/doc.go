// Package kept is what one process found out about specs and the next need not find out
// again: the checksums of entries that fit the schema, and what the evaluation of a file
// gave.
//
// It hides the format of these files, and refuses what belongs to another build or schema,
// is damaged, or that another user owns, can write or can replace. It must not know how an
// entry is verified, nor how a file is evaluated.
package kept
