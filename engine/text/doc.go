// Package text has what the gateway needs to show texts to people and models: one safe
// line, shortened values, lists in words, suggestions for misspelled names, JSON without
// the escapes of HTML.
//
// It hides runes, control sequences and edit distances. It must not know what a text is
// about.
package text
