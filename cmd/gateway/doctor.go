package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine"
)

func (a *app) doctor() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "doctor", GroupID: "use", Args: cobra.NoArgs,
		Short: "Check the installation and report problems",
		Long: `Check everything that the gateway uses, and the clients that use it: specs, settings,
databases, permissions, sessions, the installed agents with their versions and logins,
their MCP servers, and the MCP clients. Each problem comes with a way to solve it.
Nothing is changed or created; agents are run only to ask for their versions. Values of
environment variables are never shown.

Exit codes: 0 no problems (there may be notes), 1 problems found, 2 invalid command line.`,
		Example: `  $ gateway doctor
  $ gateway doctor --format json`,
	}
	cmd.Flags().StringVar(&format, "format", "text", "print the findings as `FORMAT`: text or json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkFormat(format); err != nil {
			return err
		}
		me := program()
		d := diagnosis{Version: release(), Findings: engine.Doctor(cmd.Context(), engine.Options{Specs: a.specs, Environ: os.Environ(), Version: release()}, me.path, me.build)}
		for _, f := range d.Findings {
			switch f.State {
			case engine.FindingProblem:
				d.Problems++
			case engine.FindingNote:
				d.Notes++
			}
		}
		printed := d.print
		if format == "json" {
			printed = d.encode
		}
		if err := printed(cmd.OutOrStdout()); err != nil {
			return fail(err)
		}
		if d.Problems > 0 {
			return exitCode(1)
		}
		return nil
	}
	return cmd
}

// diagnosis is the report of the doctor.
type diagnosis struct {
	Version  string           `json:"version"` // of the gateway
	Problems int              `json:"problems"`
	Notes    int              `json:"notes"`
	Findings []engine.Finding `json:"findings"`
}

func (d diagnosis) encode(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(d)
}

// areaTitles are the headings of the page.
var areaTitles = map[string]string{
	engine.AreaGateway: "This gateway", engine.AreaSpecs: "Specs", engine.AreaSettings: "Settings", engine.AreaDatabases: "Databases",
	engine.AreaPermissions: "Permissions", engine.AreaJobs: "Jobs", engine.AreaBudgets: "Budgets", engine.AreaSessions: "Sessions", engine.AreaCLIs: "Agents", engine.AreaServers: "MCP servers for the agents", engine.AreaClients: "MCP clients",
}

// print writes a page: a line for each finding, and below it what to do.
func (d diagnosis) print(w io.Writer) error {
	p := newPage(w)
	for i, f := range d.Findings {
		if i == 0 || d.Findings[i-1].Area != f.Area {
			if i > 0 {
				p.print("\n")
			}
			p.print(p.strong(areaTitles[f.Area]) + "\n")
		}
		mark := "ok      "
		switch f.State {
		case engine.FindingProblem:
			mark = p.strong("PROBLEM ")
		case engine.FindingNote:
			mark = "note    "
		}
		p.print("  " + mark + cmp.Or(f.Title, f.Name) + ": " + f.Text + "\n")
		if f.Fix != "" {
			p.print("          > " + strings.ReplaceAll(f.Fix, "\n", "\n            ") + "\n")
		}
	}
	verdict := "No problems"
	if d.Problems > 0 {
		verdict = plural(d.Problems, "problem")
	}
	p.print("\n" + p.strong(verdict+"; "+plural(d.Notes, "note")+".") + "\n")
	return p.err
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
