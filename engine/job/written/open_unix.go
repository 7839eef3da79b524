//go:build unix

package written

import "syscall"

// nonblocking keeps a pipe that has taken the place of a file from holding us.
const nonblocking = syscall.O_NONBLOCK
