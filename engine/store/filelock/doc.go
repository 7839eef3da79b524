// Package filelock takes locks of files that end with the process, however it ends.
//
// It hides how each system does that. It must not know what a lock is for, nor wait for one.
package filelock
