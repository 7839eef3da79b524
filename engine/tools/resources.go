package tools

import (
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
// URI, a template of such.
type Resource struct{ URI, Name, Title, Description string }

// NoResourceError says that there is nothing at a URI.
type NoResourceError struct{ Text string }

func (e *NoResourceError) Error() string { return e.Text }

const scheme = "gateway://"

// resourceKind is a resource that lists all things of a kind, and one for each of them.
type resourceKind struct {
	name     string   // the first segment of the URI
	all, one Resource // one is zero where there is only the list
	read     func(t *Tools, ctx context.Context, id string) (Result, error)
}

var resourceKinds = []resourceKind{
	{name: "catalog", read: (*Tools).readCatalog,
		all: Resource{scheme + "catalog", "catalog", "Catalog", "The CLIs that the gateway knows: tool, whether it is installed, where, in which version, signs of a login, and how to fix problems."}},
	{name: "status", read: (*Tools).readStatus,
		all: Resource{scheme + "status", "status", "Status of the gateway", "Which specs are in force: their digest and files, and why changed files are not."}},
	{name: "models", read: (*Tools).readModels,
		all: Resource{scheme + "models", "models", "Models", "The models and aliases of all CLIs, and their defaults, with where each was found."},
		one: Resource{scheme + "models/{cli}", "models-of-cli", "Models of a CLI", "The models and aliases of one CLI, and its default."}},
	{name: "jobs", read: (*Tools).readJobs,
		all: Resource{scheme + "jobs", "jobs", "Jobs", "The newest jobs: calls of the last days, with their status."},
		one: Resource{scheme + "jobs/{id}", "job", "Result of a job", "The status of a job, its answer and its output; of long texts the beginning. " + JobResult + " returns the rest."}},
	{name: "sessions", read: (*Tools).readSessions,
		all: Resource{scheme + "sessions", "sessions", "Sessions", "The conversations that were used last, and which is active for each CLI."},
		one: Resource{scheme + "sessions/{id}", "session", "A session", "One conversation: its CLI, working directory and turns, and whether calls that name no session continue it."}},
}

// Resources are all that there are.
func Resources() (out []Resource) {
	for _, k := range resourceKinds {
		out = append(out, k.all)
		if k.one.URI != "" {
			out = append(out, k.one)
		}
	}
	return out
}

// Read returns the resource of a URI: a JSON object, the same that a tool returns. The
// error is a *NoResourceError if there is none.
func (t *Tools) Read(ctx context.Context, uri string) (json.RawMessage, error) {
	rest, ours := strings.CutPrefix(uri, scheme)
	name, escaped, single := strings.Cut(rest, "/")
	at := slices.IndexFunc(resourceKinds, func(k resourceKind) bool { return k.name == name })
	if !ours || at < 0 || single && resourceKinds[at].one.URI == "" {
		return nil, noResource(uri)
	}
	id, err := url.PathUnescape(escaped)
	if err != nil || single && id == "" || strings.Contains(escaped, "/") {
		return nil, noResource(uri)
	}
	r, err := resourceKinds[at].read(t, ctx, id)
	if err != nil {
		return nil, err
	}
	return r.Object(), nil
}

// maxURI is how many bytes of an unknown URI an error repeats.
const maxURI = 200

func noResource(uri string) error {
	known := []string{}
	for _, r := range Resources() {
		known = append(known, r.URI)
	}
	if len(uri) > maxURI {
		uri = strings.ToValidUTF8(uri[:maxURI], "") + "…"
	}
	return &NoResourceError{fmt.Sprintf("there is no resource %q; there are %s", uri, strings.Join(known, ", "))}
}

// catalogEntry is a CLI in the catalog.
type catalogEntry struct {
	installed.State
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Tool        string `json:"tool"`
	Listed      bool   `json:"listed"` // its tools are listed
}

func (t *Tools) readCatalog(ctx context.Context, _ string) (Result, error) {
	catalog := t.Catalog()
	why := t.unlisted(catalog)
	clis := []catalogEntry{}
	for i, s := range t.Versions.States(ctx, catalog, catalog.CLIs) {
		cli := catalog.CLIs[i]
		clis = append(clis, catalogEntry{s, cli.Title, cli.Doc, cli.Tool(), why[i] == ""})
	}
	return Result{Bare: true, Structured: encode(struct {
		Digest  string         `json:"digest"`
		Profile string         `json:"profile"`
		CLIs    []catalogEntry `json:"clis"`
	}{catalog.Digest(), t.profile(catalog), clis})}, nil
}

func (t *Tools) readModels(ctx context.Context, cli string) (Result, error) {
	catalog := t.Catalog()
	if _, ok := catalog.CLI(cli); cli != "" && !ok {
		return Result{}, &NoResourceError{unknownCLI(catalog, clip(cli))}
	}
	return ListModelsTool.read(ctx, t, ListModelsInput{CLI: cli})
}

// maxSessions is how many sessions the list has.
const maxSessions = 50

func (t *Tools) readSessions(ctx context.Context, id string) (Result, error) {
	if t.Sessions == nil {
		return Result{}, &NoResourceError{"this gateway keeps no sessions"}
	}
	if id == "" {
		return SessionListTool.read(ctx, t, SessionListInput{Limit: maxSessions})
	}
	r, err := SessionGetTool.read(ctx, t, SessionRef{SessionID: id})
	var none *session.Refusal
	if errors.As(err, &none) {
		return Result{}, &NoResourceError{fmt.Sprintf("there is no session %q, or more than one; %ssessions lists them", clip(id), scheme)}
	}
	return r, err
}

func (t *Tools) readJobs(ctx context.Context, id string) (Result, error) {
	if id == "" {
		return JobListTool.read(ctx, t, JobListInput{})
	}
	r, err := JobResultTool.read(ctx, t, JobResultInput{JobRef: JobRef{id}, MaxChars: defaultChars})
	var none *job.NoJobError
	if errors.As(err, &none) {
		return Result{}, &NoResourceError{fmt.Sprintf("there is no job %q; %sjobs lists them, and finished ones are removed after a time", clip(id), scheme)}
	}
	return r, err
}

func (t *Tools) readStatus(ctx context.Context, _ string) (Result, error) {
	r, err := GatewayStatusTool.read(ctx, t, struct{}{})
	var none *usageError
	if errors.As(err, &none) {
		return t.failedTool(failureOf(err)), nil
	}
	return r, err
}
