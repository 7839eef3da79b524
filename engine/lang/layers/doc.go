// Package layers is what a higher layer of specs may do to a lower one, beyond overriding
// it field by field: to which lists it adds, and what it cannot widen because the site
// locked it.
//
// It hides which lists and settings these are, and what is narrower than what. It must not
// know how a layer is read, nor where its files are.
package layers
