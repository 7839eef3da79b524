package spool

import (
	"os"

	"github.com/llm-cli-gateway/gateway/engine/process"
)

// Output is what a job has printed.
type Output struct {
	Stdout, Stderr *os.File
	Captured       func() (stdout, stderr process.Capture, err error) // by now
	Complete       bool                                               // nothing of it is missing
	Close          func()
}
