package store

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func BenchmarkBeginFinish(b *testing.B) {
	s := newStore(b)
	job := fullJobWithoutKey()
	job.Prompt = strings.Repeat("p", 1000)
	outcome := fullOutcome()
	outcome.Response = strings.Repeat("r", 1000)
	b.ReportAllocs()
	for b.Loop() {
		job.ID = NewID()
		if err := s.Begin(ctx, job); err != nil {
			b.Fatal(err)
		}
		if err := s.Finish(ctx, job.ID, outcome); err != nil {
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
	outcome := fullOutcome()
	outcome.Response = strings.Repeat("r", 1000)
	b.ReportAllocs()
	for b.Loop() {
		job.ID = NewID()
		if _, err := s.ActiveSession(ctx, job.CLI); !errors.Is(err, ErrNoSession) {
			b.Fatal(err)
		}
		if err := s.Begin(ctx, job); err != nil {
			b.Fatal(err)
		}
		if err := s.FinishTurn(ctx, job.ID, outcome, &Turn{CLI: job.CLI, Native: job.ID, Cwd: "/", Answered: true, Began: true}); err != nil {
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
			open(filepath.Join(dir, NewID()))
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
		if list, err := s.Jobs(ctx, Filter{CLI: "acme"}); err != nil || len(list) != DefaultLimit {
			b.Fatal(len(list), err)
		}
	}
}

func fullJobWithoutKey() Job {
	job := fullJob()
	job.DedupKey, job.Session, job.Opens = "", "", false
	return job
}
