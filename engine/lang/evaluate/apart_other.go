//go:build !unix

package evaluate

import "syscall"

func apart() *syscall.SysProcAttr { return nil }
