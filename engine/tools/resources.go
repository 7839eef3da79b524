package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/session"
)

// Resource is something that can be read without calling a tool, or, with {name} in its
// URI, a kind of it.
type Resource struct{ URI, Name, Title, Description string }

// NoResourceError says that there is nothing at a URI.
type NoResourceError struct{ Text string }

func (e *NoResourceError) Error() string { return e.Text }

const scheme = "gateway://"

// shelf holds resources of a kind: one that tells of all, and one for each.
type shelf struct {
	name     string
	all, one Resource // of one the URI may be "": there is none
	read     func(t *Tools, ctx context.Context, id string) (Result, error)
}

var shelves = []shelf{
	{name: "catalog", read: (*Tools).readCatalog,
		all: Resource{scheme + "catalog", "catalog", "Catalog", "The CLIs that the gateway knows: tool, whether it is installed, where, in which version, signs of a login, and what to do about problems."}},
	{name: "status", read: (*Tools).readStatus,
		all: Resource{scheme + "status", "status", "Status of the gateway", "Which specs are in force: their digest, files, and what is wrong with an edit that is not."}},
	{name: "models", read: (*Tools).readModels,
		all: Resource{scheme + "models", "models", "Models", "The models and aliases of all CLIs, and their defaults, with where each was found."},
		one: Resource{scheme + "models/{cli}", "models-of-cli", "Models of a CLI", "The models and aliases of one CLI, and its default."}},
	{name: "jobs", read: (*Tools).readJobs,
		all: Resource{scheme + "jobs", "jobs", "Jobs", "The newest jobs: calls of the last days, with where each stands."},
		one: Resource{scheme + "jobs/{id}", "job", "Result of a job", "Where a job stands, its answer and its output; of long texts the beginning. " + JobResult + " reads on."}},
	{name: "sessions", read: (*Tools).readSessions,
		all: Resource{scheme + "sessions", "sessions", "Sessions", "The conversations that were used last, and which is active for each CLI."},
		one: Resource{scheme + "sessions/{id}", "session", "A session", "One conversation: its CLI, working directory and turns, and whether calls continue it that name none."}},
}

// Resources are all that there are.
func Resources() (out []Resource) {
	for _, s := range shelves {
		out = append(out, s.all)
		if s.one.URI != "" {
			out = append(out, s.one)
		}
	}
	return out
}

// Read returns what is at a URI, a JSON object: the same that a tool gives. The error is a
// *NoResourceError if nothing is.
func (t *Tools) Read(ctx context.Context, uri string) (json.RawMessage, error) {
	rest, ours := strings.CutPrefix(uri, scheme)
	name, escaped, single := strings.Cut(rest, "/")
	at := slices.IndexFunc(shelves, func(s shelf) bool { return s.name == name })
	if !ours || at < 0 || single && shelves[at].one.URI == "" {
		return nil, nothing(uri)
	}
	id, err := url.PathUnescape(escaped)
	if err != nil || single && id == "" || strings.Contains(escaped, "/") {
		return nil, nothing(uri)
	}
	r, err := shelves[at].read(t, ctx, id)
	if err != nil {
		return nil, err
	}
	if r.Bare {
		return r.Structured, nil
	}
	return slices.Concat(bytes.TrimSuffix(r.Structured, []byte("}")), []byte(`,"response":`), encode(r.Response), []byte("}")), nil
}

// maxURI is how much of a URI is said back.
const maxURI = 200

func nothing(uri string) error {
	known := []string{}
	for _, r := range Resources() {
		known = append(known, r.URI)
	}
	if len(uri) > maxURI {
		uri = strings.ToValidUTF8(uri[:maxURI], "") + "…"
	}
	return &NoResourceError{fmt.Sprintf("there is no resource %q; there are %s", uri, strings.Join(known, ", "))}
}

// entryOf is a CLI in the catalog.
type entryOf struct {
	installed.State
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Tool        string `json:"tool"`
	Listed      bool   `json:"listed"` // clients are shown its tools
}

func (t *Tools) readCatalog(ctx context.Context, _ string) (Result, error) {
	catalog := t.Catalog()
	why := t.unlisted(catalog)
	clis := []entryOf{}
	for i, s := range t.Versions.States(ctx, catalog, catalog.CLIs) {
		cli := catalog.CLIs[i]
		clis = append(clis, entryOf{s, cli.Title, cli.Doc, cli.Tool(), why[i] == ""})
	}
	return Result{Bare: true, Structured: encode(struct {
		Digest  string    `json:"digest"`
		Profile string    `json:"profile"`
		CLIs    []entryOf `json:"clis"`
	}{catalog.Digest(), t.profile(catalog), clis})}, nil
}

func (t *Tools) readModels(ctx context.Context, cli string) (Result, error) {
	catalog := t.Catalog()
	if _, ok := catalog.CLI(cli); cli != "" && !ok {
		return Result{}, &NoResourceError{unknownCLI(catalog, clip(cli))}
	}
	return t.models(ctx, cli), nil
}

// maxSessions is how many sessions are told at once.
const maxSessions = 50

func (t *Tools) readSessions(ctx context.Context, id string) (Result, error) {
	if t.Sessions == nil {
		return Result{}, &NoResourceError{"this gateway keeps no sessions"}
	}
	if id == "" {
		list, err := t.Sessions.List(ctx, "", maxSessions)
		return t.sessions(list), err
	}
	s, err := t.Sessions.Get(ctx, "", id)
	var none *session.Refusal
	if errors.As(err, &none) {
		return Result{}, &NoResourceError{fmt.Sprintf("there is no session %q, or more than one; %ssessions lists them", clip(id), scheme)}
	}
	return t.about(s, ""), err
}

func (t *Tools) readJobs(ctx context.Context, id string) (Result, error) {
	if id == "" {
		jobs, err := t.Runner.List(ctx, job.Filter{})
		return t.listing(jobs), err
	}
	res, err := t.Runner.Result(ctx, id, 0, defaultChars)
	var none *job.NoJobError
	if errors.As(err, &none) {
		return Result{}, &NoResourceError{fmt.Sprintf("there is no job %q; %sjobs lists them, and finished ones are removed after a time", clip(id), scheme)}
	}
	return t.output(res, defaultChars), err
}
