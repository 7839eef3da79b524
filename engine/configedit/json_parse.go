package configedit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"sync"
)

const maxJSONDepth = 200

// parseJSON reads a JSON text in which comments and trailing commas may stand. An error
// names the line and column.
func parseJSON(text []byte) (*jsonNode, error) {
	p := &jsonParser{text: text}
	if bytes.HasPrefix(text, bom) {
		p.at = len(bom)
	}
	n, err := p.value(0)
	if err == nil {
		p.space()
		if p.at < len(text) {
			err = p.fail("nothing more is expected")
		}
	}
	if err != nil {
		return nil, err
	}
	return n, nil
}

type jsonParser struct {
	text []byte
	at   int
}

func (p *jsonParser) fail(what string) error {
	line := bytes.Count(p.text[:p.at], []byte("\n")) + 1
	col := p.at - bytes.LastIndexByte(p.text[:p.at], '\n')
	return fmt.Errorf("is not valid JSON at %d:%d: %s", line, col, what)
}

// space passes white space and comments.
func (p *jsonParser) space() {
	for p.at < len(p.text) {
		rest := p.text[p.at:]
		switch {
		case bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0:
			p.at++
		case bytes.HasPrefix(rest, []byte("//")):
			if end := bytes.IndexByte(rest, '\n'); end >= 0 {
				p.at += end
			} else {
				p.at = len(p.text)
			}
		case bytes.HasPrefix(rest, []byte("/*")):
			end := bytes.Index(rest[2:], []byte("*/"))
			if end < 0 {
				return // the slash is no value, and will be told
			}
			p.at += end + 4
		default:
			return
		}
	}
}

// next is the byte that comes, 0 at the end.
func (p *jsonParser) next() byte {
	p.space()
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *jsonParser) value(depth int) (*jsonNode, error) {
	switch p.next() {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	}
	raw := scalar().Find(p.text[p.at:])
	n := &jsonNode{start: p.at, end: p.at + len(raw)}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if len(raw) == 0 || dec.Decode(&n.value) != nil {
		return nil, p.fail("a value is expected")
	}
	p.at = n.end
	return n, nil
}

// scalar is a string, or a number or word. Only who edits pays for it.
var scalar = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:"(?:[^"\\\n]|\\.)*"|[-+.0-9A-Za-z]+)`)
})

func (p *jsonParser) object(depth int) (*jsonNode, error) {
	n := &jsonNode{start: p.at, object: true}
	if depth > maxJSONDepth {
		return nil, p.fail("it is nested too deep")
	}
	p.at++
	for {
		switch c := p.next(); {
		case c == '}':
			p.at++
			n.end = p.at
			return n, nil
		case c != '"':
			return nil, p.fail("a key in quotes is expected, or }")
		case len(n.members) > 0 && !n.comma:
			return nil, p.fail("a comma is expected")
		}
		key, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		if p.next() != ':' {
			return nil, p.fail("a colon is expected")
		}
		p.at++
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.members = append(n.members, jsonMember{key.value.(string), key.start, value})
		if n.comma = p.next() == ','; n.comma {
			p.at++
		}
	}
}

func (p *jsonParser) array(depth int) (*jsonNode, error) {
	n := &jsonNode{start: p.at}
	if depth > maxJSONDepth {
		return nil, p.fail("it is nested too deep")
	}
	p.at++
	items := []any{}
	for comma := true; ; {
		if p.next() == ']' {
			p.at++
			n.end, n.value = p.at, items
			return n, nil
		}
		if !comma {
			return nil, p.fail("a comma is expected, or ]")
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(items, item.plain(nil, nil))
		if comma = p.next() == ','; comma {
			p.at++
		}
	}
}
