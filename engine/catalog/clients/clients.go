// Package clients is what is known of MCP clients: which of them a caller is, how much of a
// result they take, and what the reasons of their cancellations mean.
//
// It hides the patterns by which they are recognized. It must not know tools or jobs.
package clients

import (
	"regexp"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Client is one that is known. The methods of a nil one answer that nothing is.
type Client struct {
	match, detach, end []*regexp.Regexp
	manners            bool // what its cancellations mean is known
	result             lang.ClientResult
}

// Table is the clients that can be recognized, in the order of the specs.
type Table []*Client

// Compile checks the specs of clients.
func Compile(specs lang.Map[lang.ClientSpec], ps lang.Problems) (table Table) {
	for name, spec := range specs.All() {
		at := ps.At(name)
		settings(spec.Config, at.At("config"))
		c := &Client{
			match: patterns(spec.Match, at.At("match")), detach: patterns(spec.Cancel.Detach, at.At("cancel", "detach")), end: patterns(spec.Cancel.End, at.At("cancel", "end")),
			result: spec.Result,
		}
		if c.manners = len(spec.Cancel.Detach)+len(spec.Cancel.End) > 0; c.match != nil {
			table = append(table, c)
		} else if c.manners || spec.Result.Chars > 0 {
			problem := at.Add("client", "is never recognized, so what is said of its results and cancellations applies to no call")
			problem.Hint, problem.Warning = "add match: the names by which it introduces itself", true
		}
	}
	return table
}

func patterns(sources []string, ps lang.Problems) (out []*regexp.Regexp) {
	for i, source := range sources {
		re, err := regexp.Compile(source)
		if err != nil {
			ps.At(i).Add("regexp", "%s", strings.TrimPrefix(err.Error(), "regexp: "))
			continue
		}
		out = append(out, re)
	}
	return out
}

// Find is the first client that introduces itself by such a name; nil if none is known.
func (t Table) Find(name string) *Client {
	for _, c := range t {
		if matches(c.match, name) {
			return c
		}
	}
	return nil
}

// Detaches reports whether a cancellation for that reason is a limit of the client and no
// decision of its user; known is false if nothing is known about its cancellations.
func (c *Client) Detaches(reason string) (detaches, known bool) {
	if c == nil || !c.manners {
		return false, false
	}
	return matches(c.detach, reason) && !matches(c.end, reason), true
}

// Takes is how many characters of a result, as JSON, the client takes whole, and which parts
// of it count; 0 if nothing is known.
func (c *Client) Takes() (chars int, text, structure bool) {
	if c == nil {
		return 0, false, false
	}
	return c.result.Chars, c.result.Shows != "structure", c.result.Shows != "text"
}

func matches(patterns []*regexp.Regexp, s string) bool {
	return slices.ContainsFunc(patterns, func(re *regexp.Regexp) bool { return re.MatchString(s) })
}
