package outcome

import (
	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// Why a job was ended: it had printed its final record and stayed, or printed what says that
// it will give no answer.
const (
	Settled process.Reason = "settled"
	Watched process.Reason = "watched"
)

// ExitOf is the exit of a supervised job. Its supervisor knows of a cancel alone.
func ExitOf(e supervisor.Exit) process.Exit {
	exit := process.SupervisedExit(e)
	return EndedBy(exit, e.Detail)
}

// EndedBy names in an exit why the job was canceled, if it was one of our reasons.
func EndedBy(exit process.Exit, by string) process.Exit {
	if reason := process.Reason(by); exit.Reason == process.Canceled && (reason == Settled || reason == Watched) {
		exit.Reason = reason
	}
	return exit
}
