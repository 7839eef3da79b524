package tools

import (
	"sort"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
)

// leastChars is how much of a text a result has however little its client takes: each page
// must bring its reader on.
const leastChars = 200

// fit is what render makes of the most characters of each text with which the whole result
// is not longer than its client takes; of most, if the client takes that or is not known.
func fit(c *catalog.Catalog, client call.Client, most int, render func(most int) Result) Result {
	chars, text, structure := c.Client(client.Name).Takes()
	r := render(most)
	if chars == 0 || r.chars(text, structure) <= chars {
		return r
	}
	tooMany := sort.Search(min(most, chars), func(n int) bool {
		r := render(n)
		return r.chars(text, structure) > chars
	})
	return render(min(most, max(tooMany-1, leastChars)))
}

// chars is the length of the text, of the structure, or of both, as JSON.
func (r Result) chars(text, structure bool) (n int) {
	if text {
		for _, block := range r.Text {
			n += encodedChars(block)
		}
	}
	if structure {
		n += plainChars(string(r.Structured))
		if !r.Bare {
			n += len(`,"response":`) + encodedChars(r.Response)
		}
	}
	return n
}

func plainChars(s string) (n int) {
	for range s {
		n++
	}
	return n
}

// encodedChars is the length of a string as JSON.
func encodedChars(s string) int {
	n := len(`""`)
	for _, c := range s {
		switch n++; {
		case c == '"', c == '\\', c == '\n', c == '\r', c == '\t':
			n++
		case c < ' ', c == '\u2028', c == '\u2029':
			n += len(`u0000`)
		}
	}
	return n
}

// cut is the first characters of a text, and how many it has: most, if it has more.
func cut(s string, most int) (head string, total int) {
	end := len(s)
	for at := range s {
		if total == most {
			end = at
		}
		total++
	}
	return s[:end], total
}
