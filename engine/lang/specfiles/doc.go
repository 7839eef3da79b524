// Package specfiles reads the files of a folder of specs, refuses those that other users
// could have written, and keeps and checks their hashes.
//
// It hides owners, modes and links. It must not know what the files say.
package specfiles
