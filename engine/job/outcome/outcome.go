// Package outcome tells what the end of a program means: for its caller, and for its row.
//
// It hides which exits are failures of which class, and how what a program counts since its
// conversation began becomes what one call used. It must not know how a program was run, nor
// which secrets there are.
package outcome

import (
	"errors"
	"fmt"
	"os"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// Decode decodes what a finished process printed, and what it wrote into a file that is opened as
// extract.Run says, into the outcome of its call.
func Decode(bound *catalog.Call, stdout, stderr *os.File, exit process.Exit, file func(session string) (extract.File, error)) (call.Completion, store.Ending) {
	tail, err := process.Tail(stderr, exit.Stderr, 64<<10)
	if err != nil {
		tail = []byte(fmt.Sprintf("(standard error could not be read back: %v)", err))
	}
	answer, err := bound.Decode(extract.Run{
		Stdout: process.Reader(stdout, exit.Stdout), Size: exit.Stdout.Head + exit.Stdout.Tail, Stderr: string(tail),
		At: exit.Ended, Exit: exit.Code, Signal: exit.Signal, Ended: failureClass(exit), Cut: exit.Stdout.Truncated,
		File: file, Began: exit.Started,
	})
	if err != nil {
		failure := &lang.Failure{Class: lang.ClassUnparsable, Message: "the output could not be read back: " + err.Error()}
		return call.Completion{ExitCode: -1, Answer: extract.Answer{Failure: failure}}, store.EndError
	}
	out := call.Completion{Answer: answer, ExitCode: exit.Code, Warnings: answer.Warnings}
	if most := bound.CLI.CLISpec.Prompt.ExcerptBytes; most > 0 && len(bound.Prompt) >= most {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%s shows its model only an excerpt of prompts from %d bytes on; this one has %d", bound.CLI.DisplayName(), most, len(bound.Prompt)))
	}
	if exit.Err != nil {
		out.Warnings = append(out.Warnings, exit.Err.Error())
	}
	if len(exit.Left) > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("processes of this call could not be ended: %v", exit.Left))
	}
	ending := endings[exit.Reason].ending
	if ending == "" || answer.Late {
		ending = store.EndOK
		if answer.Failure != nil {
			ending = store.EndError
		}
	}
	return out, ending
}

// failureClass is the class of a run that did not end by itself, or whose output is not
// what the program wrote.
func failureClass(exit process.Exit) string {
	if errors.Is(exit.Err, process.ErrNoSpace) {
		return lang.ClassDisk
	}
	return endings[exit.Reason].class
}

// endings maps why a process ended to the class of the failure and the ending in the
// record; the output of a process decides if it ended by itself.
var endings = map[process.Reason]struct {
	class  string
	ending store.Ending
}{
	process.Canceled:    {lang.ClassCanceled, store.EndCanceled},
	process.IdleTimeout: {lang.ClassIdle, store.EndTimeout},
	Settled:             {lang.ClassIdle, store.EndTimeout},
	Watched:             {extract.EndedByWatch, store.EndError},
	process.WallTimeout: {lang.ClassTimeout, store.EndTimeout},
	process.OutputCap:   {lang.ClassOutputCap, store.EndOutputCap},
	process.OutputLost:  {lang.ClassDisk, store.EndError},

	supervisor.QueueTimeout:     {lang.ClassTimeout, store.EndTimeout},
	supervisor.SupervisorSignal: {lang.ClassCanceled, store.EndCanceled},
	supervisor.SupervisorDied:   {lang.ClassLost, store.EndLost},
	supervisor.Rebooted:         {lang.ClassLost, store.EndLost},
}

// EndingOf is the ending in the record of a process that was ended for the reason; "" if it
// ended by itself.
func EndingOf(reason process.Reason) store.Ending { return endings[reason].ending }

// Row is the end of a row, but for its times. The texts of the program are passed through redact,
// and its answer through answer.
func Row(out call.Completion, exit process.Exit, ending store.Ending, redact, answer func(string) string) store.Outcome {
	a := out.Answer
	row := store.Outcome{
		Ending: ending, Detail: string(exit.Reason),
		OutBytes: exit.Stdout.Size, ErrBytes: exit.Stderr.Size, Truncated: exit.Stdout.Truncated || exit.Stderr.Truncated,
		Model: a.Model, NativeSessionID: a.SessionID, Response: answer(a.Text), CostUSD: a.CostUSD,
		InputTokens: tokens(a, extract.UsageInput), OutputTokens: tokens(a, extract.UsageOutput), CacheReadTokens: tokens(a, extract.UsageCacheRead),
		CacheWriteTokens: tokens(a, extract.UsageCacheWrite), ReasoningTokens: tokens(a, extract.UsageReasoning),
		UsageScope: a.Scope, CostScope: a.CostScope,
	}
	if exit.Signal != "" {
		row.Detail += " by " + exit.Signal
		row.Signal = &exit.SignalNumber
	}
	if exit.Code >= 0 {
		row.ExitCode = &exit.Code
	}
	if f := a.Failure; f != nil {
		row.ErrorClass, row.ErrorMessage = f.Class, redact(f.Message)
	}
	return row
}

func tokens(a extract.Answer, name string) *int64 {
	if n, ok := a.Usage[name]; ok {
		return &n
	}
	return nil
}
