// Package watch reports that the files of some folders may have changed.
//
// It hides how that is noticed: by events where the system gives any, by looking again
// and again where it does not, and by both where events miss something, as they do when
// a link leads elsewhere, or a folder is taken away and made anew. A wake-up is a hint:
// nothing need have changed. It must not know what the files are for, nor read them.
package watch
