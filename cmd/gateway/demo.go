package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// demoSpec describes the stand-in; it is printed, and used unchanged.
//
//go:embed demo.cue
var demoSpec string

// demoTool is the tool that demoSpec makes.
const demoTool = "parrot_request"

// demoPatience bounds the whole demo, which takes a fraction of a second.
const demoPatience = 30 * time.Second

func (a *app) demo() *cobra.Command {
	return &cobra.Command{
		Use: "demo", GroupID: "use", Args: cobra.NoArgs,
		Short: "See the gateway at work; nothing needs to be installed",
		Long: `See the gateway at work without installing anything: start a real gateway, connect a
real MCP client to it, and call a fake agent that is built into this program. Everything
happens in a temporary folder; your record and your settings are not changed. At the end
the demo shows which agents are installed and how to add the gateway to your MCP client.

Exit codes: 0 success, 1 a step failed.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.open(cmd)
			if err != nil {
				return err
			}
			defer e.Close()
			ctx, cancel := context.WithTimeout(cmd.Context(), demoPatience)
			defer cancel()
			// A reader that goes away (a pager, head) must not end us before the
			// temporary folder is gone.
			signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
			d := &demo{page: newPage(cmd.OutOrStdout()), engine: e}
			switch err := d.run(ctx); {
			case errors.Is(err, syscall.EPIPE):
				return exitCode(1)
			case err != nil:
				return fail(err)
			}
			return nil
		},
	}
}

// demo is one run of the demo.
type demo struct {
	*page
	engine *engine.Engine // with the user's own specs, for what is installed here

	dir       string // everything is below it
	client    *demoClient
	session   string // conversation of the first call
	installed string // tool of an agent that is installed here, if there is one
}

func (d *demo) run(ctx context.Context) (err error) {
	if d.dir, err = os.MkdirTemp("", "gateway-demo-"); err != nil {
		return fmt.Errorf("cannot create a temporary folder for the demo: %w; set TMPDIR to a writable folder", err)
	}
	d.client = &demoClient{dir: d.dir}
	defer func() {
		// The gateway ends before its folder goes. What fails here follows from an
		// earlier failure, if there was one.
		if tidy := errors.Join(d.client.close(), os.RemoveAll(d.dir)); err == nil {
			err = tidy
		}
	}()

	d.print("The gateway turns command-line agents into MCP tools. This demo runs in a temporary\nfolder and changes nothing else.\n\n")
	for i, step := range []struct {
		title string
		do    func(context.Context) error
	}{
		{"A spec describes a command-line agent", d.showSpec},
		{"A gateway starts, and an MCP client lists its tools", d.listTools},
		{"The client calls a tool", d.firstCall},
		{"A misspelt parameter is rejected, and nothing is run", d.refusedCall},
		{"The session id of the first answer continues the conversation", d.secondCall},
		{"Every call is recorded in SQLite", d.showRecord},
		{"Agents on this machine", d.showAgents},
		{"Add the gateway to your MCP client", d.showClients},
	} {
		d.heading(i+1, step.title)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("the demo failed at step %d (%s): %w%s", i+1, step.title, err, d.client.said())
		}
		if d.page.err != nil {
			return d.page.err
		}
	}
	return nil
}

func (d *demo) showSpec(context.Context) error {
	d.block(strings.ReplaceAll(demoSpec, "\t", "    "))
	return nil
}

func (d *demo) listTools(ctx context.Context) error {
	if err := d.client.start(ctx); err != nil {
		return err
	}
	listed, err := d.client.tools()
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(listed, func(t mcpTool) bool { return t.Name == demoTool }) {
		return fmt.Errorf("%s is missing from the list of %d tools", demoTool, len(listed))
	}
	rows := [][]string{}
	for _, t := range listed {
		from := "built in"
		if strings.HasPrefix(t.Name, demoTool) {
			from = "from the spec above"
		}
		rows = append(rows, []string{t.Name, plural(len(t.InputSchema.Properties), "parameter"), from})
	}
	d.table(rows)
	return nil
}

func (d *demo) firstCall(context.Context) error {
	result, err := d.call(map[string]any{"prompt": "hello from the demo", "voice": "loud"})
	if err != nil {
		return err
	}
	var answer struct{ Response, SessionID string }
	if err := json.Unmarshal(result.StructuredContent, &answer); err != nil {
		return fmt.Errorf("the structured result is invalid: %w", err)
	}
	if result.IsError || !strings.Contains(answer.Response, "HELLO FROM THE DEMO") || answer.SessionID == "" {
		return fmt.Errorf("unexpected answer of the fake agent: %s", result.StructuredContent)
	}
	d.session = answer.SessionID
	return nil
}

func (d *demo) refusedCall(context.Context) error {
	result, err := d.call(map[string]any{"prompt": "hello", "voise": "loud"})
	if err == nil && !result.IsError {
		return errors.New("the call was not rejected")
	}
	return err
}

func (d *demo) secondCall(context.Context) error {
	result, err := d.call(map[string]any{"prompt": "what did I say first?", "sessionId": d.session})
	if err == nil && (result.IsError || !strings.Contains(string(result.StructuredContent), "hello from the demo")) {
		return errors.New("the fake agent does not remember the first call")
	}
	return err
}

// call calls the stand-in's tool and shows what was sent and what came back.
func (d *demo) call(args map[string]any) (result mcpResult, err error) {
	sent, err := json.Marshal(args)
	if err != nil {
		return result, err
	}
	d.block(demoTool + " " + string(sent))
	if result, err = d.client.call(demoTool, args); err != nil {
		return result, err
	}
	if !result.IsError {
		d.object(result.StructuredContent)
		return result, nil
	}
	for _, c := range result.Content {
		d.block(c.Text)
	}
	return result, nil
}

func (d *demo) showRecord(ctx context.Context) error {
	record, err := sqlite.Open(d.client.record())
	if err != nil {
		return err
	}
	defer record.Close()
	jobs, err := record.Jobs(ctx, store.Filter{Principal: store.Local})
	if err != nil {
		return err
	}
	if len(jobs) != 2 {
		return fmt.Errorf("the record should have 2 rows, not %d", len(jobs))
	}
	rows := [][]string{{"TIME", "TOOL", "MODE", "END", "MS", "PROMPT"}}
	for _, j := range slices.Backward(jobs) {
		rows = append(rows, []string{j.Created.Local().Format(time.TimeOnly), j.Tool, j.Mode, string(j.Outcome.Ending),
			fmt.Sprint(j.Outcome.Duration.Milliseconds()), j.Prompt})
	}
	d.table(rows)
	where := d.engine.RecordPath()
	if where == "" {
		where = "nowhere, because your settings turn the record off"
	}
	d.block("Your calls are recorded in " + where)
	return nil
}

func (d *demo) showAgents(context.Context) error {
	rows := [][]string{}
	for _, cli := range d.engine.Catalog().CLIs {
		path, err := d.engine.Tools.Runner.Host.Find(cli.Bin)
		switch {
		case err == nil:
			rows = append(rows, []string{cli.DisplayName(), path})
			if d.installed == "" {
				d.installed = cli.Tool()
			}
		case !errors.As(err, new(*host.NotFoundError)):
			rows = append(rows, []string{cli.DisplayName(), err.Error()})
		case cli.Install != "":
			rows = append(rows, []string{cli.DisplayName(), "not installed:  " + cli.Install})
		default:
			rows = append(rows, []string{cli.DisplayName(), "not installed"})
		}
	}
	d.table(rows)
	return nil
}

func (d *demo) showClients(context.Context) error {
	me := program()
	if me.build != "" {
		d.block("`go run` deletes this program when it ends. Build a permanent one first:")
		d.block(me.build)
	}
	for _, client := range d.engine.Catalog().Clients.All() {
		d.label(client.Title)
		d.block(client.Line(me.path))
		if client.Note != "" {
			d.block("(" + client.Note + ")")
		}
	}
	d.label("Any other client")
	d.block("command: " + me.path + "\narguments: serve")
	if d.installed != "" {
		d.label("Or call an agent from the command line")
		d.block(lang.ShellWord(me.path) + " call " + d.installed + ` prompt="Say hello"`)
	}
	return nil
}
