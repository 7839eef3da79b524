package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/models"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// ListModels is the name of ListModelsTool.
const ListModels = "list_models"

// ListModelsInput is the input of ListModelsTool.
type ListModelsInput struct {
	CLI string `json:"cli,omitempty" doc:"Only models of this CLI" maxLength:"64"`
}

// ListModelsOutput is the output of ListModelsTool.
type ListModelsOutput struct {
	CLIs     map[string]ModelsOfCLI `json:"clis"` // by the name of the CLI
	Warnings []string               `json:"warnings,omitempty"`

	listing []models.CLI // the same, in the order of the specs
}

// ModelsOfCLI are the models of one CLI.
type ModelsOfCLI struct {
	Title         string               `json:"title,omitempty"`
	Description   string               `json:"description,omitempty"`
	Default       string               `json:"defaultModel,omitempty"`
	DefaultSource string               `json:"defaultModelSource,omitempty"`
	Models        map[string]string    `json:"models"`             // name to description
	UseCases      map[string]string    `json:"useCases,omitempty"` // name to what it is best for
	Metadata      map[string]ModelMeta `json:"modelMetadata,omitempty"`
	Aliases       map[string]string    `json:"aliases,omitempty"`
	Warnings      []string             `json:"warnings,omitempty"`
}

// ModelMeta says how a model is known.
type ModelMeta struct {
	Source     models.Kind `json:"source"`
	Confidence string      `json:"confidence"`
	From       string      `json:"from,omitempty"`
}

var modelsSchema = json.RawMessage(`{"type":"object","properties":{"clis":{"type":"object","additionalProperties":{"type":"object","properties":{` +
	`"defaultModel":{"type":"string"},"defaultModelSource":{"type":"string"},` +
	`"models":{"type":"object","additionalProperties":{"type":"string"}},` +
	`"modelMetadata":{"type":"object","additionalProperties":{"type":"object","properties":{"source":{"type":"string"},"confidence":{"type":"string"}}}},` +
	`"aliases":{"type":"object","additionalProperties":{"type":"string"}},` +
	`"warnings":{"type":"array","items":{"type":"string"}}}}},"warnings":{"type":"array","items":{"type":"string"}}}}`)

// ListModelsTool lists the models of the CLIs, or of one.
var ListModelsTool = &Builtin[ListModelsInput, ListModelsOutput]{
	Tool: catalog.Tool{Name: ListModels, Title: "List models", Output: modelsSchema, ReadOnly: true, Idempotent: true,
		Description: "List the models and aliases of each CLI, and its default."},
	handle: (*Tools).listModels,
	render: renderModels,
}

func (t *Tools) listModels(ctx context.Context, _ Caller, in ListModelsInput) (ListModelsOutput, error) {
	cat := t.Catalog()
	clis := []*catalog.CLI{}
	for _, cli := range cat.CLIs {
		if in.CLI == "" || cli.Name == in.CLI {
			clis = append(clis, t.Calls.Installed(ctx, cat, cli)) // as calls are bound
		}
	}
	if len(clis) == 0 && in.CLI != "" {
		return ListModelsOutput{}, &usageError{unknownCLI(cat, in.CLI), "`gateway models` lists the models of all"}
	}
	listing := t.Models.List(ctx, store.Local, cat, clis)
	out := ListModelsOutput{CLIs: map[string]ModelsOfCLI{}, Warnings: listing.Warnings, listing: listing.CLIs}
	for _, cli := range listing.CLIs {
		out.CLIs[cli.Spec.Name] = modelsOfCLI(cli)
	}
	return out, nil
}

func modelsOfCLI(cli models.CLI) ModelsOfCLI {
	out := ModelsOfCLI{
		Title: cli.Spec.Title, Description: cli.Spec.Doc, Default: cli.Default.Name, DefaultSource: cli.Default.From,
		Models: map[string]string{}, UseCases: map[string]string{}, Metadata: map[string]ModelMeta{},
		Aliases: cli.Aliases, Warnings: cli.Warnings,
	}
	for _, m := range cli.Models {
		out.Models[m.Name] = m.Doc
		out.Metadata[m.Name] = ModelMeta{m.Kind, m.Kind.Confidence(), m.From}
		if m.Use != "" {
			out.UseCases[m.Name] = m.Use
		}
	}
	return out
}

func renderModels(o ListModelsOutput) []string {
	blocks := []string{}
	for _, cli := range o.listing {
		blocks = append(blocks, renderModelsOfCLI(cli))
	}
	if len(o.Warnings) > 0 {
		blocks = append(blocks, renderWarnings(o.Warnings))
	}
	return []string{strings.Join(blocks, "\n\n")}
}

func renderModelsOfCLI(cli models.CLI) string {
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
		pairs = append(pairs, alias+" = "+cli.Aliases[alias])
	}
	if len(pairs) > 0 {
		b.WriteString("\n  aliases: " + strings.Join(pairs, ", "))
	}
	if len(cli.Warnings) > 0 {
		b.WriteString("\n" + renderWarnings(cli.Warnings))
	}
	return b.String()
}

func renderWarnings(texts []string) string {
	lines := make([]string, len(texts))
	for i, text := range texts {
		lines[i] = "  warning: " + strings.ReplaceAll(text, "\n", " ")
	}
	return strings.Join(lines, "\n")
}
