package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/catalog/argvalue"
	"github.com/llm-cli-gateway/gateway/engine/catalog/listing"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Tool is the listing of a tool for clients.
type Tool = listing.Tool

// Describe is the listing of the CLI's tool.
func (c *CLI) Describe() Tool { return c.listings.full() }

// DescribeAsync is the listing of the tool that starts the call as a job. What the
// parameters mean is described once, in the tool that waits.
func (c *CLI) DescribeAsync() Tool { return c.listings.async() }

// listings are those of the tools of a CLI, whatever version of it is installed. They
// are made once: of most CLIs the next catalog has the same.
type listings struct{ full, async, brief func() Tool }

func (c *CLI) list() *listings {
	return &listings{
		full:  sync.OnceValue(func() Tool { return c.At("").describe() }),
		async: sync.OnceValue(func() Tool { return c.At("").describeAsync() }),
		brief: sync.OnceValue(func() Tool { return c.At("").describeBriefly() }),
	}
}

func (c *CLI) describe() Tool {
	return Tool{
		Name: c.Tool(), Title: c.DisplayName(), Description: c.description(),
		Input: c.InputSchema(), Output: listing.OutputSchema,
		// An agent can change files wherever its spec has a parameter that lets it, and
		// perhaps where nobody knows.
		Destructive: c.Unverified != "" || slices.ContainsFunc(c.params, func(p *Param) bool { return !p.Danger.IsZero() }),
		OpenWorld:   true,
	}
}

func (c *CLI) describeAsync() Tool {
	t := c.Describe()
	t.Name, t.Output = c.AsyncTool(), listing.StartSchema
	t.Title += " (job)"
	t.Description = "Start " + c.Tool() + " as a job and return its jobId at once. Same parameters."
	t.Input = c.schema(func(p *Param) bool { return withoutAsync(p) && p.role != roleMaxChars }, (*Param).terse, false) // it returns no answer
	return t
}

// purpose is what the tool is for, in the words that models search for.
func (c *CLI) purpose() string {
	purpose := "Delegate a task, review or second opinion to " + c.DisplayName() + c.unverifiedNote()
	if c.Session.Resume != nil {
		purpose += ", or resume by sessionId"
	}
	return purpose + "."
}

// description begins with a sentence that stands alone: clients cut what follows.
func (c *CLI) description() string {
	var b strings.Builder
	b.WriteString(c.purpose())
	if c.Doc != "" {
		b.WriteString(" " + c.Doc)
	}
	if c.Unverified != "" {
		b.WriteString(" Unverified: " + c.Unverified)
	}
	return b.String()
}

// unverifiedNote is added to the name of a CLI whose spec nobody has tried.
func (c *CLI) unverifiedNote() string {
	if c.Unverified == "" {
		return ""
	}
	return " (unverified)"
}

var jsonTypes = map[Kind]string{String: "string", Bool: "boolean", Int: "integer", Number: "number", List: "array"}

func (p *Param) property() listing.Property {
	out := listing.Property{Name: p.Name, Required: p.ParamSpec.Required,
		Type: jsonTypes[p.Kind], Description: p.documentation(), Enum: p.Enum, Default: p.listedDefault(),
		Minimum: p.Min, Maximum: p.Max}
	if p.Nullable {
		out.Type = []string{jsonTypes[p.Kind], "null"}
	}
	if p.role == rolePrompt {
		out.MinLength, out.MaxLength = p.MinLength, p.MaxLength
	}
	if p.Kind == List {
		out.Items = &listing.Property{Type: "string", Enum: p.Enum}
		out.Enum = nil
	}
	return out
}

// documentation is the spec's text and what a model must know beside it.
func (p *Param) documentation() string {
	parts := []string{strings.TrimSpace(p.Doc)}
	if last := parts[0]; last != "" && !strings.ContainsAny(last[len(last)-1:], ".!?") {
		parts[0] += "."
	}
	if p.role == rolePrompt {
		parts = append(parts, text.Number(float64(*p.MinLength))+" to "+text.Number(float64(*p.MaxLength))+" characters.")
	}
	if len(p.aliases) > 0 {
		what := "Aliases: "
		if p.role == roleServers {
			what = "Available: "
		}
		parts = append(parts, what+strings.Join(p.aliases, ", ")+".")
	}
	if b := argvalue.Range(p.Min, p.Max); b != "" {
		parts = append(parts, strings.ToUpper(b[:1])+b[1:]+".")
	}
	if text := defaultText(p.listedDefault()); text != "" {
		parts = append(parts, "Default: "+text+".")
	}
	if len(p.Modes) > 0 {
		names := make([]string, len(p.Modes))
		for i, m := range p.Modes {
			names[i] = m.Adjective()
		}
		parts = append(parts, "Only for "+strings.Join(names, " and ")+" conversations.")
	}
	if p.Since != "" {
		parts = append(parts, "Since version "+p.Since+".")
	}
	if p.Until != "" {
		parts = append(parts, "Before version "+p.Until+".")
	}
	return strings.Join(parts, " ")
}

func defaultText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []string:
		return strings.Join(v, ", ")
	case float64:
		return text.Number(v)
	}
	return fmt.Sprint(v)
}

// InputSchema is the JSON Schema of the tool's arguments.
func (t *paramSet) InputSchema() json.RawMessage {
	return t.schema(withoutAsync, (*Param).property, false)
}

// withoutAsync is every parameter except async, which is not needed where both tools are
// listed.
func withoutAsync(p *Param) bool { return p.role != roleAsync }

// terse leaves out what another tool with the same parameters says.
func (p *Param) terse() listing.Property {
	out := p.property()
	out.Description, out.Default, out.Minimum, out.Maximum = "", nil, nil, nil
	return out
}

// schema is the JSON Schema of those arguments that count, each property as returned by
// show. An open one admits others.
func (t *paramSet) schema(counts func(*Param) bool, show func(*Param) listing.Property, open bool) json.RawMessage {
	var properties []listing.Property
	for _, p := range t.params {
		if counts(p) {
			properties = append(properties, show(p))
		}
	}
	return listing.Object(properties, open)
}
