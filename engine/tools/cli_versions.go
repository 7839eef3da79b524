package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// CLIVersions is the name of CLIVersionsTool.
const CLIVersions = "cli_versions"

// CLIVersionsInput is the input of CLIVersionsTool.
type CLIVersionsInput struct {
	CLI string `json:"cli,omitempty" doc:"Only this CLI" maxLength:"64"`
}

// CLIVersionsOutput is the output of CLIVersionsTool.
type CLIVersionsOutput struct {
	CLIs   []installed.State `json:"clis"`
	Looked []string          `json:"lookedIn,omitempty"` // directories that lack a program

	headings []string // of the CLIs
}

var versionsSchema = json.RawMessage(`{"type":"object","properties":{"clis":{"type":"array","items":{"type":"object","properties":{` +
	`"cli":{"type":"string"},"installed":{"type":"boolean"},"path":{"type":"string"},"version":{"type":"string"},"matchesSpec":{"type":"boolean"},` +
	`"login":{"type":"string","enum":["found","none","unknown"]},"loginHint":{"type":"string"},"unverified":{"type":"string"},"problem":{"type":"string"},"hint":{"type":"string"}}}}}}`)

// CLIVersionsTool reports which CLIs are installed.
var CLIVersionsTool = &Builtin[CLIVersionsInput, CLIVersionsOutput]{
	Tool: catalog.Tool{Name: CLIVersions, Title: "Versions of the CLIs", Output: versionsSchema, Advanced: true, ReadOnly: true, Idempotent: true,
		Description: "Report which CLIs are installed, where, in which version, and whether a user is logged in."},
	handle: (*Tools).cliVersions,
	render: renderVersions,
}

func (t *Tools) cliVersions(ctx context.Context, _ Caller, in CLIVersionsInput) (CLIVersionsOutput, error) {
	cat := t.Catalog()
	clis := cat.CLIs
	if in.CLI != "" {
		cli, err := knownCLI(cat, in.CLI, listsCLIs)
		if err != nil {
			return CLIVersionsOutput{}, err
		}
		clis = []*catalog.CLI{cli}
	}
	out := CLIVersionsOutput{CLIs: t.Versions.States(ctx, cat, clis)}
	for i, s := range out.CLIs {
		out.headings = append(out.headings, clis[i].DisplayName())
		for _, dir := range s.Looked {
			if !slices.Contains(out.Looked, dir) {
				out.Looked = append(out.Looked, dir)
			}
		}
	}
	return out, nil
}

func renderVersions(o CLIVersionsOutput) []string {
	lines := []string{}
	for i, s := range o.CLIs {
		lines = append(lines, renderState(o.headings[i], s))
	}
	if len(o.Looked) > 0 {
		lines = append(lines, "Programs that are not installed were looked for in "+strings.Join(o.Looked, ", ")+".")
	}
	return []string{strings.Join(lines, "\n")}
}

// renderState is a line about a CLI, and further ones about what is wrong.
func renderState(heading string, s installed.State) string {
	var b strings.Builder
	switch {
	case !s.Installed:
		fmt.Fprintf(&b, "%s (%s) is not installed", heading, s.CLI)
	case s.Version == "":
		fmt.Fprintf(&b, "%s (%s), version unknown, at %s", heading, s.CLI, s.Path)
	default:
		fmt.Fprintf(&b, "%s (%s) %s at %s", heading, s.CLI, s.Version, s.Path)
	}
	switch s.Login {
	case installed.LoginFound:
		b.WriteString("; login: " + s.LoginBy)
	case installed.LoginNone:
		b.WriteString("; no sign of a login")
		if s.LoginHint != "" {
			b.WriteString(" (" + s.LoginHint + ")")
		}
	}
	if s.Unverified != "" {
		b.WriteString("\n  Unverified: " + s.Unverified)
	}
	if s.Problem != "" {
		b.WriteString("\n  Problem: " + s.Problem)
	}
	if s.Hint != "" {
		b.WriteString("\n  Hint: " + s.Hint)
	}
	return b.String()
}

// listsCLIs is the hint of tools whose caller names a CLI that there is not.
const listsCLIs = "`gateway call " + CLIVersions + "` lists the CLIs"

// knownCLI is the CLI of that name. The error has the hint, and the nearest name.
func knownCLI(cat *catalog.Catalog, name, hint string) (*catalog.CLI, error) {
	if cli, ok := cat.CLI(name); ok {
		return cli, nil
	}
	return nil, &usageError{unknownCLI(cat, name), hint}
}

// checkFilter refuses a filter of which nothing was found because no CLI has that name. The
// record may know one that has no spec any more.
func (t *Tools) checkFilter(name string) error {
	if name == "" {
		return nil
	}
	_, err := knownCLI(t.Catalog(), name, listsCLIs)
	return err
}

func unknownCLI(cat *catalog.Catalog, name string) string {
	names := []string{}
	for _, cli := range cat.CLIs {
		names = append(names, cli.Name)
	}
	problem := fmt.Sprintf("there is no CLI %q", name)
	if near := text.Nearest(name, names); near != "" {
		return problem + fmt.Sprintf(" (did you mean %q?)", near)
	}
	return problem + "; there are " + strings.Join(names, ", ")
}
