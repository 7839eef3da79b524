// Package lang is the vocabulary of the spec language: the specs as data, once CUE and
// YAML are read and the layers are merged, and problems that are found in them, each at
// the path of the field at fault.
//
// The types are made of schema/schema.cue (*_gen.go); written by hand is what follows from
// no constraint, such as a value that has a short form (jsontypes.go).
//
// It hides how a value that has a short form and a long one is read and written. It must
// not know how specs are written down, nor what is made of them.
package lang
