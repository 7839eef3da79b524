package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/job/redaction"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/author"
	"github.com/llm-cli-gateway/gateway/engine/lang/check"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// maxOutput is how many characters of each output of a job are read.
const maxOutput = 2 << 20

// Example writes a job that has ended as an example for the spec of its CLI, in CUE and
// without secrets. The notes are for the reader. The error is a
// *job.NoJobError if there is no such job.
func (e *Engine) Example(ctx context.Context, id string) (text string, notes []string, err error) {
	res, err := e.Tools.Runner.Result(ctx, store.Local, id, 0, maxOutput)
	if err != nil {
		return "", nil, err
	}
	row := res.Row
	if !res.State.Ended() {
		return "", nil, fmt.Errorf("job %s is %s, but an example needs a finished call; wait for it with `gateway jobs result %s --wait 10m`", id, res.State, id)
	}
	cat := e.Catalog()
	cli, ok := cat.CLI(row.CLI)
	if !ok {
		return "", nil, fmt.Errorf("job %s is not a call of a CLI in the specs (%s)", id, row.Tool)
	}
	clean, err := redaction.OfOutput(e.Tools.Runner.Host, cat, cli)
	if err != nil {
		return "", nil, err
	}
	r := author.Recorded{
		Mode: lang.Mode(row.Mode), SessionID: row.SessionID, Prompt: clean(row.Prompt), Version: row.CLIVersion, Argv: row.Argv, Clean: clean,
		Stdout: clean(res.Stdout.Text), Stderr: clean(res.Stderr.Text), Access: catalog.AccessIn(row.Args),
	}
	if r.Arguments, r.Servers, err = arguments(row, clean); err != nil {
		return "", nil, err
	}
	for i, word := range row.Argv {
		row.Argv[i] = clean(word)
	}
	end := row.Outcome
	kept := int64(len(res.Stdout.Text)+len(res.Stderr.Text)) > 0 || end.OutBytes+end.ErrBytes == 0
	byItself := (end.Ending == store.EndOK || end.Ending == store.EndError) && end.ExitCode != nil && *end.ExitCode >= 0 && end.Signal == nil
	if r.Printed = byItself && kept && !end.Truncated && !res.Stdout.More && !res.Stderr.More; r.Printed {
		r.Exit = *end.ExitCode
	}
	ex, notes := author.Example(cat, cli, r)
	for _, p := range check.Example(cat, cli, ex) {
		notes = append(notes, "vet reports: "+p.Text)
	}
	text, err = author.FormatExample(ex)
	return text, notes, err
}

// arguments are those of a row, and the MCP servers among them.
func arguments(row store.Job, clean func(string) string) (args map[string]any, servers []string, err error) {
	if len(row.Args) == 0 {
		return nil, nil, nil
	}
	if err := json.Unmarshal(row.Args, &args); err != nil {
		return nil, nil, fmt.Errorf("the arguments of job %s cannot be read: %w", row.ID, err)
	}
	for name, v := range args {
		switch v := v.(type) {
		case string:
			args[name] = clean(v)
		case []any:
			for i, item := range v {
				if text, ok := item.(string); ok {
					v[i] = clean(text)
				}
			}
		}
	}
	delete(args, catalog.AccessArgument)
	if given := catalog.AccessIn(row.Args); given != nil && given.Given() {
		args[catalog.AccessArgument] = given.Words
	}
	equipped, ok := args["mcp"].(map[string]any)
	if !ok {
		return args, nil, nil
	}
	delete(args, "mcp")
	servers = []string{}
	names, _ := equipped["requested"].([]any)
	for _, name := range names {
		if s, ok := name.(string); ok {
			servers = append(servers, s)
		}
	}
	return args, servers, nil
}
