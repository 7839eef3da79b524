//go:build !unix

package written

const nonblocking = 0
