// Package author serves those who write specs: drafts out of help texts (draft.go),
// examples out of recorded calls (record.go, example.go), the comparison of a spec with
// what its program says of itself (help.go, compare.go), and diagnostics in the forms that
// editors and services read (print.go).
//
// It hides the formats of help texts. It must not run a program nor read a job: callers
// pass in the text or the record.
package author
