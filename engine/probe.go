package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/author"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Probed describes a program that was probed.
type Probed struct {
	CLI     string     `json:"cli"`
	Path    string     `json:"path,omitempty"` // "" if it is not installed
	Version string     `json:"version,omitempty"`
	Asked   [][]string `json:"asked,omitempty"`
}

// Probe asks the programs of CLIs, or of all, for their help texts and holds the specs
// against them. The result must come from Vet, and without errors. Of a program that is
// not installed there is a note, and an error if it was named.
func Probe(ctx context.Context, loaded load.Result, names, environ []string) ([]Probed, []diagnostic.Diagnostic, error) {
	cat := loaded.Catalog
	clis := cat.CLIs
	if len(names) > 0 {
		clis = nil
	}
	for _, name := range names {
		cli, ok := cat.CLI(name)
		if !ok {
			return nil, nil, fmt.Errorf("there is no CLI %q%s; a folder is written ./%s", name, nearest(cat, name), name)
		}
		if !slices.Contains(clis, cli) {
			clis = append(clis, cli)
		}
	}
	settings := cat.Settings
	p := probe{
		catalog: cat, named: len(names) > 0,
		prober: installed.Patient(host.New(environ, settings.Path, settings.EnvFile)),
	}
	probed := make([]Probed, len(clis))
	problems := make([][]lang.Problem, len(clis))
	var wait sync.WaitGroup
	room := make(chan struct{}, atOnce)
	for i, cli := range clis {
		wait.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			probed[i], problems[i] = p.cli(ctx, cli)
		})
	}
	wait.Wait()
	ranges := map[string][]string{}
	for i, cli := range clis {
		ranges[cli.Name] = cli.Changes(probed[i].Version)
	}
	return probed, loaded.Locate(slices.Concat(problems...), ranges), ctx.Err()
}

func nearest(cat *catalog.Catalog, name string) string {
	names := []string{}
	for _, cli := range cat.CLIs {
		names = append(names, cli.Name)
	}
	if near := text.Nearest(name, names); near != "" {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return ""
}

// atOnce is how many programs are asked at the same time.
const atOnce = 2

type probe struct {
	catalog *catalog.Catalog
	prober  *installed.Prober
	named   bool
}

// cli asks one program. What it lacks is reported at its position in the spec.
func (p probe) cli(ctx context.Context, cli *catalog.CLI) (probed Probed, found []lang.Problem) {
	probed.CLI = cli.Name
	at := func(code, text string, keys ...string) *lang.Problem {
		found = append(found, lang.Problem{Path: append([]string{"cli", cli.Name}, keys...), Code: code, Text: text})
		return &found[len(found)-1]
	}
	path, err := p.prober.Host.Find(cli.Bin)
	if err != nil {
		problem := at("probe-missing", fmt.Sprintf("%s is not installed, so it was not checked", cli.DisplayName()), "bin")
		problem.Note = !p.named
		if p.named {
			problem.Text, problem.Hint = err.Error(), cli.Install
		}
		return probed, found
	}
	probed.Path = path
	state := p.prober.State(ctx, p.catalog, cli)
	probed.Version = state.Version
	switch {
	case state.Matches != nil && !*state.Matches:
		at("probe-strange", state.Problem, "version", "match").Hint = state.Hint
		return probed, found
	case state.Problem != "":
		problem := at("probe-version", state.Problem, "version", "argv")
		problem.Warning, problem.Key, problem.Hint = true, true, state.Hint
	}
	if len(cli.CLISpec.Probe.Help) == 0 {
		problem := at(author.CodeUnasked, "the spec does not say how to get the help text of "+cli.DisplayName())
		problem.Note, problem.Key, problem.Hint = true, true, `add probe: help: [["--help"]]`
		return probed, found
	}
	var answers []author.Answer
	for _, words := range cli.CLISpec.Probe.Help {
		probed.Asked = append(probed.Asked, words)
		text, err := p.prober.Help(ctx, p.catalog, cli, words)
		answers = append(answers, author.Answer{Words: words, Text: text, Err: err})
	}
	return probed, append(found, author.Compare(cli, probed.Version, answers)...)
}

// String is what was asked, on one line.
func (p Probed) String() string {
	if p.Path == "" {
		return p.CLI + ": not installed"
	}
	asked := []string{}
	for _, words := range p.Asked {
		asked = append(asked, strings.Join(words, " "))
	}
	return strings.Join(strings.Fields(fmt.Sprintf("%s: %s at %s; asked: %s", p.CLI, p.Version, p.Path, strings.Join(asked, ", "))), " ")
}
