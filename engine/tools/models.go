package tools

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/models"
)

// ListModels is the name of the tool that tells which models there are.
const ListModels = "list_models"

var listModels = catalog.NewBuiltin(catalog.Tool{Name: ListModels, Title: "List models", Output: catalog.ModelsSchema, ReadOnly: true, Idempotent: true,
	Description: "List the models and aliases of each CLI, and its default."},
	&catalog.Param{Name: "cli", Kind: catalog.String, ParamSpec: lang.ParamSpec{Doc: "Only those of this CLI.", MaxLength: ptr(64)}})

// modelsOf is what is told of the models of one CLI.
type modelsOf struct {
	Title         string               `json:"title,omitempty"`
	Description   string               `json:"description,omitempty"`
	Default       string               `json:"defaultModel,omitempty"`
	DefaultSource string               `json:"defaultModelSource,omitempty"`
	Models        map[string]string    `json:"models"`             // name to description
	UseCases      map[string]string    `json:"useCases,omitempty"` // name to what it is best for
	Metadata      map[string]modelMeta `json:"modelMetadata,omitempty"`
	Aliases       map[string]string    `json:"aliases,omitempty"`
	Warnings      []string             `json:"warnings,omitempty"`
}

type modelMeta struct {
	Source     models.Kind `json:"source"`
	Confidence string      `json:"confidence"`
	From       string      `json:"from,omitempty"`
}

// models tells which models the CLIs have, or one of them.
func (t *Tools) models(ctx context.Context, name string) Result {
	cat := t.Catalog()
	clis := []*catalog.CLI{}
	for _, cli := range cat.CLIs {
		if name == "" || cli.Name == name {
			clis = append(clis, t.Calls.Installed(ctx, cat, cli)) // as calls are bound
		}
	}
	if len(clis) == 0 && name != "" {
		return refused(unknownCLI(cat, name), "`gateway models` lists the models of all")
	}
	listing := t.Models.List(ctx, cat, clis)
	told := struct {
		CLIs     map[string]modelsOf `json:"clis"`
		Warnings []string            `json:"warnings,omitempty"`
	}{map[string]modelsOf{}, listing.Warnings}
	blocks := []string{}
	for _, cli := range listing.CLIs {
		told.CLIs[cli.Spec.Name] = structure(cli)
		blocks = append(blocks, describe(cli))
	}
	if len(listing.Warnings) > 0 {
		blocks = append(blocks, warnings(listing.Warnings))
	}
	return Result{Text: []string{strings.Join(blocks, "\n\n")}, Structured: encode(told), Bare: true}
}

func structure(cli models.CLI) modelsOf {
	out := modelsOf{
		Title: cli.Spec.Title, Description: cli.Spec.Doc, Default: cli.Default.Name, DefaultSource: cli.Default.From,
		Models: map[string]string{}, UseCases: map[string]string{}, Metadata: map[string]modelMeta{},
		Aliases: cli.Aliases, Warnings: cli.Warnings,
	}
	for _, m := range cli.Models {
		out.Models[m.Name] = m.Doc
		out.Metadata[m.Name] = modelMeta{m.Kind, m.Kind.Confidence(), m.From}
		if m.Use != "" {
			out.UseCases[m.Name] = m.Use
		}
	}
	return out
}

// describe is the same as lines for people.
func describe(cli models.CLI) string {
	var b strings.Builder
	b.WriteString(cli.Spec.Name)
	if cli.Spec.Title != "" {
		b.WriteString(" (" + cli.Spec.Title + ")")
	}
	switch {
	case !cli.Spec.TakesModel():
		b.WriteString("\n  takes no model")
	case cli.Default.Name == "":
		b.WriteString("\n  default: its own, which is not known here")
	case cli.Passed:
		fmt.Fprintf(&b, "\n  default: %s (%s)", cli.Default.Name, cli.Default.From)
	default:
		fmt.Fprintf(&b, "\n  default: %s, which it finds by itself (%s)", cli.Default.Name, cli.Default.From)
	}
	for _, m := range cli.Models {
		fmt.Fprintf(&b, "\n  %s  [%s, %s confidence", m.Name, m.Kind, m.Kind.Confidence())
		if m.From != "" {
			b.WriteString(": " + m.From)
		}
		b.WriteByte(']')
		if m.Doc != "" {
			b.WriteString("  " + m.Doc)
		}
		if m.Use != "" {
			b.WriteString("  Best for: " + m.Use)
		}
	}
	pairs := []string{}
	for _, alias := range slices.Sorted(maps.Keys(cli.Aliases)) {
		to := cli.Aliases[alias]
		if to == "" {
			to = "its own default"
		}
		pairs = append(pairs, alias+" = "+to)
	}
	if len(pairs) > 0 {
		b.WriteString("\n  aliases: " + strings.Join(pairs, ", "))
	}
	if len(cli.Warnings) > 0 {
		b.WriteString("\n" + warnings(cli.Warnings))
	}
	return b.String()
}

func warnings(texts []string) string {
	lines := make([]string, len(texts))
	for i, text := range texts {
		lines[i] = "  warning: " + strings.ReplaceAll(text, "\n", " ")
	}
	return strings.Join(lines, "\n")
}
