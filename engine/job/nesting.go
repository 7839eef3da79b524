package job

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/job/jobdir"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
)

// A CLI that we called may call us. Without a guard two CLIs could call each other for
// ever, or one could let another do what it may not do itself.

// nesting caches the jobs inside which this gateway runs.
type nesting struct {
	mu    sync.Mutex
	known bool

	look   sync.Once // at the ancestors, of which there are many: no call waits for a second look
	inside bool
	jobs   []store.Job // the nearest first
}

// maxDepth bounds the walk along the parents of rows.
const maxDepth = 32

// outer are the jobs in which this gateway runs, the nearest first. They are found in its
// environment, and where that was cleaned in its ancestors. Of a job of another record
// only the id is known.
func (r *Runner) outer(ctx context.Context, records Store) []store.Job {
	r.nested.mu.Lock()
	defer r.nested.mu.Unlock()
	if r.nested.known {
		return r.nested.jobs
	}
	var above []string
	for _, dir := range supervisor.EnclosingJobs() {
		above = append(above, jobdir.Job(filepath.Base(dir)))
	}
	if len(above) == 0 && r.Parent != "" {
		above = []string{jobdir.Job(r.Parent)}
	}
	var jobs []store.Job
	for len(above) > 0 && len(jobs) < maxDepth {
		row, err := records.Job(ctx, store.AnyPrincipal, above[0])
		if err != nil {
			row = store.Job{ID: above[0]}
		}
		jobs, above = append(jobs, row), above[1:]
		if len(above) == 0 && row.ParentID != "" && !slices.ContainsFunc(jobs, func(j store.Job) bool { return j.ID == row.ParentID }) {
			above = []string{row.ParentID}
		}
	}
	r.nested.jobs, r.nested.known = jobs, ctx.Err() == nil
	return jobs
}

// parent is the job in which this gateway runs, "" if none.
func (r *run) parent(ctx context.Context) string {
	if outer := r.outer(ctx, r.records); len(outer) > 0 {
		return outer[0].ID
	}
	return ""
}

// nestedCall reports whether this gateway runs inside a job, without a look at the record.
func (r *Runner) nestedCall() bool {
	r.nested.look.Do(func() { r.nested.inside = r.Parent != "" || len(supervisor.EnclosingJobs()) > 0 })
	return r.nested.inside
}

// Ceiling is what a call of this gateway may have at most: what the job may do in which the
// gateway runs. Of a job whose access is not known that is reading.
func (r *Runner) Ceiling(ctx context.Context) (access.Ceiling, error) {
	if !r.nestedCall() {
		return access.Ceiling{}, nil // as nearly always; then no record is needed
	}
	outer := []store.Job{{ID: jobdir.Job(r.Parent)}}
	if _, err := os.Stat(r.RecordName); err == nil || r.Volatile {
		records, err := r.Record()
		if err != nil {
			return access.Ceiling{}, err
		}
		outer = r.outer(ctx, records)
	}
	if len(outer) == 0 {
		return access.Ceiling{}, nil
	}
	ceiling := access.Ceiling{Level: access.Read, From: "job " + outer[0].ID + ", which makes this call,"}
	if known := catalog.AccessIn(outer[0].Args); known != nil {
		ceiling.Level = access.Named(known.Level)
	}
	return ceiling, nil
}

// checkNesting refuses calls from inside a job that go too deep, or that would wait for it.
func (r *run) checkNesting(ctx context.Context) *lang.Failure {
	outer := r.outer(ctx, r.records)
	if len(outer) == 0 {
		return nil
	}
	refused := func(message, hint string) *lang.Failure {
		return &lang.Failure{Class: lang.ClassNested, Message: message, Hint: hint}
	}
	if most := r.Catalog.Settings.Jobs.MaxDepth; len(outer) > most {
		chain := make([]string, len(outer))
		for i, job := range outer {
			chain[i] = strings.TrimSpace(job.CLI + " " + job.ID)
		}
		return refused(fmt.Sprintf("calls inside of calls go at most %d deep (gateway.jobs.maxDepth), and this one would be the %dth: it is made from inside %s", most, len(outer), strings.Join(chain, ", inside ")),
			"answer without calling another agent")
	}
	conversation := r.Bound.Conversation()
	if conversation == "" {
		return nil
	}
	if taking := r.enclosingTurn(ctx, r.records, r.Bound.CLI.Name, conversation); taking != "" {
		return refused("the conversation "+conversation+" is in the middle of a turn, job "+taking+", which makes this call", "start a new conversation, or continue another one")
	}
	return nil
}
