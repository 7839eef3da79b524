package sqlite

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/storetest"
)

func BenchmarkBeginFinish(b *testing.B) {
	s := newStore(b)
	job := fullJobWithoutKey()
	job.Prompt = strings.Repeat("p", 1000)
	outcome := storetest.FullOutcome()
	outcome.Response = strings.Repeat("r", 1000)
	b.ReportAllocs()
	for b.Loop() {
		job.ID = store.NewID()
		if err := s.Begin(ctx, job); err != nil {
			b.Fatal(err)
		}
		if err := s.Finish(ctx, job.ID, outcome, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTurn is what a call costs that begins a conversation: it looks for an active
// session in vain, and its end makes one.
func BenchmarkTurn(b *testing.B) {
	s := newStore(b)
	job := fullJobWithoutKey()
	job.Prompt = strings.Repeat("p", 1000)
	outcome := storetest.FullOutcome()
	outcome.Response = strings.Repeat("r", 1000)
	b.ReportAllocs()
	for b.Loop() {
		job.ID = store.NewID()
		if _, err := s.ActiveSession(ctx, store.Local, job.CLI); !errors.Is(err, store.ErrNoSession) {
			b.Fatal(err)
		}
		if err := s.Begin(ctx, job); err != nil {
			b.Fatal(err)
		}
		if err := s.Finish(ctx, job.ID, outcome, &store.Turn{Principal: store.Local, CLI: job.CLI, Native: job.ID, Cwd: "/", Answered: true, Began: true}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	open := func(path string) {
		s, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("first", func(b *testing.B) {
		dir := b.TempDir()
		for b.Loop() {
			open(filepath.Join(dir, store.NewID()))
		}
	})
	b.Run("again", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "calls.db")
		for b.Loop() {
			open(path)
		}
	})
}

func BenchmarkJobs(b *testing.B) {
	s := newStore(b)
	for range 1000 {
		mustBegin(b, s, fullJobWithoutKey())
	}
	b.ReportAllocs()
	for b.Loop() {
		if list, err := s.Jobs(ctx, store.Filter{Principal: store.Local, CLI: "acme"}); err != nil || len(list) != store.DefaultLimit {
			b.Fatal(len(list), err)
		}
	}
}

func fullJobWithoutKey() store.Job {
	job := storetest.FullJob()
	job.DedupKey, job.Session, job.Opens = "", "", false
	return job
}

// BenchmarkRecentModels looks at calls of which each has an answer of several pages.
func BenchmarkRecentModels(b *testing.B) {
	s, err := OpenMemory()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	job := fullJobWithoutKey()
	job.State, job.Prompt, job.Outcome = store.Done, strings.Repeat("p", 2000), store.Outcome{Ending: store.EndOK, Response: strings.Repeat("r", 20_000)}
	for range 2000 {
		job.ID = store.NewID()
		if _, err := s.ImportJob(ctx, job); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := s.RecentModels(ctx, store.Local, 2000); err != nil {
			b.Fatal(err)
		}
	}
}
