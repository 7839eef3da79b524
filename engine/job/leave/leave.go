// Package leave tells what it means for a job that its caller does not wait any more.
//
// It hides how clients and settings say that, and in which words. It must not know how a job
// is ended.
package leave

import (
	"errors"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
)

// Wanted reports whether a caller left because its user wants the job canceled, and the reason
// that it gave. The cause is that of the end of the caller's context.
func Wanted(c *catalog.Catalog, job *call.Job, cause error) (reason string, wanted bool) {
	var cancel interface{ CancelReason() string }
	settings := c.Settings.Jobs
	onCancel := settings.OnCancel
	if cli, ok := c.CLI(job.Row.CLI); ok && cli.OnCancel != "" {
		onCancel = cli.OnCancel
	}
	if job.Joined || onCancel == "detach" || !errors.As(cause, &cancel) {
		return "", false
	}
	reason = cancel.CancelReason()
	detaches, known := c.Client(job.Row.ClientName).Detaches(reason)
	if !known { // words may say it
		lower := strings.ToLower(reason)
		detaches = slices.ContainsFunc(settings.DetachOn, func(word string) bool { return strings.Contains(lower, strings.ToLower(word)) })
	}
	if detaches {
		return "", false
	}
	if reason == "" {
		reason = "canceled by its caller"
	}
	return reason, true
}
