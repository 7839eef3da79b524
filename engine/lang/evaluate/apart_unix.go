//go:build unix

package evaluate

import "syscall"

// apart keeps the signals of a terminal away: who asked ends the process.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
