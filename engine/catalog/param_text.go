package catalog

import (
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// bounds says the range of a number in words.
func (p *Param) bounds() string {
	switch {
	case p.Min != nil && p.Max != nil:
		return text.Number(*p.Min) + " to " + text.Number(*p.Max)
	case p.Min != nil:
		return "at least " + text.Number(*p.Min)
	case p.Max != nil:
		return "at most " + text.Number(*p.Max)
	}
	return ""
}
