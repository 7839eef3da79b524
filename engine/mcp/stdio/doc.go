// Package stdio frames messages as lines on a pair of byte streams, such as the
// standard input and output of a process.
//
// It hides buffering, the limit on the length of a line, writes from many goroutines,
// and how to find out that nobody reads the output any more.
//
// It must not know what is in a line.
package stdio
