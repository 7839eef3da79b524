package catalog

import (
	"encoding/json"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/listing"
)

// Brief is the listing of the CLI's tool in few bytes: what calls seldom give is named
// alone, and one tool does for both ways to wait.
func (c *CLI) Brief() Tool { return c.listings.brief() }

func (c *CLI) describeBriefly() Tool {
	t := c.Describe().InBrief(c.paramSet.brief())
	t.Description = c.purpose()
	if c.Doc != "" {
		t.Description += " " + sentence(c.Doc)
	}
	if advanced := c.advanced(); len(advanced) > 0 {
		t.Description += " Further parameters: " + strings.Join(advanced, ", ") + "."
	}
	return t
}

// Brief is the listing of the tool in few bytes.
func (b *Builtin) Brief() Tool { return b.Tool.InBrief(b.paramSet.brief()) }

// advanced are the parameters that the brief schema leaves out.
func (t *paramSet) advanced() (names []string) {
	for _, p := range t.params {
		if p.Advanced {
			names = append(names, p.Name)
		}
	}
	return names
}

// brief is the JSON Schema of the arguments as far as they matter. It admits others, so
// that a client which validates holds no call back.
func (t *paramSet) brief() json.RawMessage {
	return t.schema(func(p *Param) bool { return !p.Advanced }, (*Param).brief, t.advanced() != nil)
}

func (p *Param) brief() listing.Property {
	out := p.property()
	out.Description, out.Default, out.MinLength, out.MaxLength = sentence(p.Doc), nil, nil, nil
	if len(p.aliases) > 0 {
		out.Description += " (" + strings.Join(p.aliases, ", ") + ")"
	}
	if text := defaultText(p.listedDefault()); text != "" {
		out.Description += ", default " + text
	}
	return out
}

// sentence is the first one of a text, without a full stop where it is the only one.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if first, _, more := strings.Cut(text, ". "); more {
		return first + "."
	}
	return text
}
