package outcome

import (
	"fmt"
	"os"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// DecodeProgram reads the end of a program that is no call of a CLI: its exit code decides, and what it printed is
// for people.
func DecodeProgram(stdout, stderr *os.File, exit process.Exit) (call.Completion, store.Ending, error) {
	output, err := process.Tail(stdout, exit.Stdout, 64<<10)
	if err != nil {
		return call.Completion{}, "", err
	}
	errOutput, err := process.Tail(stderr, exit.Stderr, 4<<10)
	if err != nil {
		return call.Completion{}, "", err
	}
	text := strings.ToValidUTF8(string(output), "\ufffd")
	out := call.Completion{ExitCode: exit.Code, Answer: extract.Answer{Text: text, Shown: text}}
	end := endings[exit.Reason]
	if end.ending == "" && exit.Code == 0 && exit.Err == nil {
		return out, store.EndOK, nil
	}
	if end.ending == "" {
		end.class, end.ending = lang.ClassError, store.EndError
	}
	message := fmt.Sprintf("it ended with exit code %d", exit.Code)
	if end.class != lang.ClassError {
		message = "it was ended: " + string(exit.Reason)
	}
	if last := strings.TrimSpace(strings.ToValidUTF8(string(errOutput), "\ufffd")); last != "" {
		message += "; its last output: " + last
	}
	if exit.Err != nil {
		message += "; " + exit.Err.Error()
	}
	out.Answer.Failure = &lang.Failure{Class: end.class, Message: message}
	return out, end.ending, nil
}
