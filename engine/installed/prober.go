package installed

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
)

// Prober asks programs for their versions and remembers what they said: in memory, and
// in a file, because some of them take seconds to answer. Its methods may be called from
// any goroutine.
type Prober struct {
	Host *host.Host
	File string // remembers answers for later gateways; "" for none

	limit time.Duration    // of one question; 0 for the default
	now   func() time.Time // nil for the clock

	mu     sync.Mutex
	known  map[question]answer
	asking map[question]chan struct{} // closed when the question is answered
	read   bool                       // the file has been read
}

const (
	// askLimit bounds one question: a program that has not printed its version by then is
	// one that waits for something.
	askLimit = 5 * time.Second
	// answerTTL is for how long an answer counts while the program does not change. A
	// shim that stands for programs elsewhere stays the same when they do not.
	answerTTL = 24 * time.Hour
	// failureTTL is for how long calls do without a version that could not be had.
	failureTTL = time.Minute
)

// question is what is asked, and of whom.
type question struct {
	path string
	argv string // words, separated by NUL
	want string // pattern of the answer
}

// answer is what came of a question.
type answer struct {
	stamp   stamp
	version string
	said    string // the first line, where it is not the one that was expected
	err     error
	at      time.Time
}

// errNoCommand says that a spec has no command for the version.
var errNoCommand = errors.New("its spec does not say how to ask for the version")

// Version is the version of a CLI for a call of it: "" if it cannot be found out. A
// program that answered since it was last changed is not run again.
func (p *Prober) Version(ctx context.Context, catalog *catalog.Catalog, cli *catalog.CLI) string {
	path, err := p.Host.Find(cli.Bin)
	if err != nil {
		return ""
	}
	a := p.answer(ctx, catalog, cli, path, failureTTL)
	if a.err != nil || a.said != "" {
		return ""
	}
	return a.version
}

// Forget makes the next question about a CLI one to the program itself.
func (p *Prober) Forget(cli *catalog.CLI) {
	path, err := p.Host.Find(cli.Bin)
	if err != nil {
		return
	}
	q := ask(path, cli)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.load()
	delete(p.known, q)
	p.save(q)
}

func ask(path string, cli *catalog.CLI) question {
	return question{path: path, argv: strings.Join(cli.CLISpec.Version.Argv, "\x00"), want: cli.CLISpec.Version.Match}
}

// answer finds an answer out, or remembers it. A failure counts as remembered if it is
// not older than patience; all who wait for the same question share one.
func (p *Prober) answer(ctx context.Context, catalog *catalog.Catalog, cli *catalog.CLI, path string, patience time.Duration) answer {
	if len(cli.CLISpec.Version.Argv) == 0 {
		return answer{err: errNoCommand}
	}
	q, begun := ask(path, cli), p.clock()
	info, err := os.Stat(path)
	if err != nil {
		return answer{err: err}
	}
	s := stampOf(info)
	for {
		p.mu.Lock()
		p.load()
		if a, ok := p.known[q]; ok && a.stamp == s && a.counts(begun, p.clock(), patience) {
			p.mu.Unlock()
			return a
		}
		other, busy := p.asking[q]
		if !busy {
			break
		}
		p.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return answer{err: ctx.Err()}
		}
	}
	done := make(chan struct{})
	p.asking[q] = done
	p.mu.Unlock()

	// The program may change while it answers; the answer then belongs to neither, and
	// the stamp from before says so.
	a := p.question(ctx, catalog, cli, path)
	a.stamp, a.at = s, p.clock()

	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.asking, q)
	close(done)
	if ctx.Err() == nil { // else the caller gave up, not the program
		p.known[q] = a
		p.save(q)
	}
	return a
}

// counts reports whether an answer still holds.
func (a answer) counts(begun, now time.Time, patience time.Duration) bool {
	if a.err != nil {
		return !a.at.Before(begun) || now.Sub(a.at) < patience
	}
	return a.at.Before(now.Add(time.Minute)) && now.Sub(a.at) < answerTTL
}

func (p *Prober) clock() time.Time {
	if p.now != nil {
		return p.now()
	}
	return time.Now()
}
