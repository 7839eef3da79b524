// Package installed knows the CLIs as they are installed on this machine: which version
// each is, whether it is the program that its spec speaks of, whether somebody is logged
// in, what would bring it to another version, and what its help texts say.
//
// It hides how a program is asked for its version and how the answer is remembered. It
// changes nothing on the machine and must not know what a call or a tool is.
package installed
