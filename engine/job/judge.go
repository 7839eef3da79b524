package job

import (
	"errors"
	"fmt"
	"os"

	"github.com/llm-cli-gateway/gateway/engine/keeper"
	"github.com/llm-cli-gateway/gateway/engine/plan"
	"github.com/llm-cli-gateway/gateway/engine/proc"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// judge reads what a finished process printed, and says what became of its call.
func judge(call *plan.Call, stdout, stderr *os.File, exit proc.Exit) (Outcome, store.Ending) {
	complaint, err := proc.Tail(stderr, exit.Stderr, 64<<10)
	if err != nil {
		complaint = []byte(fmt.Sprintf("(standard error could not be read back: %v)", err))
	}
	answer, err := call.Decode(plan.Run{
		Stdout: proc.Reader(stdout, exit.Stdout), Size: exit.Stdout.Head + exit.Stdout.Tail, Stderr: string(complaint),
		Exit: exit.Code, Signal: exit.Signal, Ended: ended(exit), Cut: exit.Stdout.Truncated,
	})
	if err != nil {
		failure := &plan.Failure{Class: plan.ClassUnparsable, Message: "the output could not be read back: " + err.Error()}
		return Outcome{ExitCode: -1, Answer: plan.Answer{Failure: failure}}, store.EndError
	}
	out := Outcome{Answer: answer, ExitCode: exit.Code}
	if most := call.CLI.CLISpec.Prompt.ExcerptBytes; most > 0 && len(call.Prompt) >= most {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%s shows its model only an excerpt of prompts from %d bytes on; this one has %d", call.CLI.Heading(), most, len(call.Prompt)))
	}
	if exit.Err != nil {
		out.Warnings = append(out.Warnings, exit.Err.Error())
	}
	if len(exit.Left) > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("processes of this call could not be ended: %v", exit.Left))
	}
	ending := endings[exit.Reason].ending
	if ending == "" {
		ending = store.EndOK
		if answer.Failure != nil {
			ending = store.EndError
		}
	}
	return out, ending
}

// ended is the class of a run that did not end by itself, or whose output is not
// what the program wrote.
func ended(exit proc.Exit) string {
	if errors.Is(exit.Err, proc.ErrNoSpace) {
		return plan.ClassDisk
	}
	return endings[exit.Reason].class
}

// endings maps why a process ended to the class of the failure and the word of the
// record; a process that ended by itself is judged by its output.
var endings = map[proc.Reason]struct {
	class  string
	ending store.Ending
}{
	proc.Canceled:    {plan.ClassCanceled, store.EndCanceled},
	proc.IdleTimeout: {plan.ClassIdle, store.EndTimeout},
	proc.WallTimeout: {plan.ClassTimeout, store.EndTimeout},
	proc.OutputCap:   {plan.ClassOutputCap, store.EndOutputCap},
	proc.OutputLost:  {plan.ClassDisk, store.EndError},

	proc.Reason(keeper.QueueTimeout):     {plan.ClassTimeout, store.EndTimeout},
	proc.Reason(keeper.SupervisorSignal): {plan.ClassCanceled, store.EndCanceled},
	proc.Reason(keeper.SupervisorDied):   {plan.ClassLost, store.EndLost},
	proc.Reason(keeper.Rebooted):         {plan.ClassLost, store.EndLost},
}

// completed is the end of a row, but for its times.
func completed(out Outcome, exit proc.Exit, ending store.Ending, secrets redactor) store.Outcome {
	a := out.Answer
	row := store.Outcome{
		Ending: ending, Detail: string(exit.Reason),
		OutBytes: exit.Stdout.Size, ErrBytes: exit.Stderr.Size, Truncated: exit.Stdout.Truncated || exit.Stderr.Truncated,
		Model: a.Model, NativeSessionID: a.SessionID, Response: secrets.clean(a.Text), CostUSD: a.CostUSD,
		InputTokens: tokens(a, plan.UsageInput), OutputTokens: tokens(a, plan.UsageOutput), CacheReadTokens: tokens(a, plan.UsageCacheRead),
		CacheWriteTokens: tokens(a, plan.UsageCacheWrite), ReasoningTokens: tokens(a, plan.UsageReasoning),
	}
	if exit.Signal != "" {
		row.Detail += " by " + exit.Signal
		row.Signal = &exit.SignalNumber
	}
	if exit.Code >= 0 {
		row.ExitCode = &exit.Code
	}
	if f := a.Failure; f != nil {
		row.ErrorClass, row.ErrorMessage = f.Class, secrets.clean(f.Message)
	}
	return row
}

func tokens(a plan.Answer, name string) *int64 {
	if n, ok := a.Usage[name]; ok {
		return &n
	}
	return nil
}
