package job

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/job/jobdir"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// outer are the jobs in which this gateway runs, the nearest first.
func (r *Runner) outer(ctx context.Context, records Store) []store.Job {
	return r.nested.Outer(ctx, records, r.Parent)
}

// nestedCall reports whether this gateway runs inside a job, without a look at the record.
func (r *Runner) nestedCall() bool { return r.nested.Inside(r.Parent) }

// parent is the job in which this gateway runs, "" if none.
func (r *run) parent(ctx context.Context) string {
	if outer := r.outer(ctx, r.records); len(outer) > 0 {
		return outer[0].ID
	}
	return ""
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
