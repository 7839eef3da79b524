package tools

import (
	"errors"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// usageError says what is wrong with a call of a built-in tool, and how to correct it.
type usageError struct{ message, hint string }

func (e *usageError) Error() string { return e.message }

// failureOf returns the failure that an error of a handler is for the caller: a mistake
// of theirs, or a record that cannot be read or written.
func failureOf(err error) lang.Failure {
	usage := func(message, hint string) lang.Failure {
		return lang.Failure{Class: lang.ClassUsage, Message: message, Hint: hint}
	}
	var wrong *usageError
	var none *job.NoJobError
	var decided *job.NotWaitingError
	switch {
	case errors.As(err, &wrong):
		return usage(wrong.message, wrong.hint)
	case errors.As(err, &none):
		return usage(err.Error(), JobList+" lists the jobs; finished ones are removed after a time (gateway.jobs.retentionDays)")
	case errors.As(err, &decided):
		return usage(err.Error(), JobStatus+" with its jobId says what became of it")
	case errors.Is(err, job.ErrElsewhere):
		return usage(err.Error(), "cancel the request that made it, or end its gateway")
	}
	return *call.SessionFailure(err)
}

func (t *Tools) refused(message, hint string) Result {
	return t.failedTool(lang.Failure{Class: lang.ClassUsage, Message: message, Hint: hint})
}

// failedTool is the result of a built-in tool that has no output.
func (t *Tools) failedTool(f lang.Failure) Result {
	f = *withoutSecrets(t.Catalog(), &f)
	s := structured{Status: string(call.Failed), Error: &f}
	return Result{Text: []string{f.Message + hintText(f), trailer(s)}, Structured: encode(s), IsError: true, Bare: true}
}

// withoutSecrets is a failure that may quote what a caller gave.
func withoutSecrets(c *catalog.Catalog, f *lang.Failure) *lang.Failure {
	said := *f
	said.Message, said.Hint = c.Secrets.Redact(f.Message), c.Secrets.Redact(f.Hint)
	return &said
}
