package load

import (
	"bytes"
	"regexp"
	"sort"
	"sync"
)

// source is a file as its positions see it.
type source struct {
	name  string
	data  []byte
	env   bool // an environment variable: a name without lines
	layer int  // counts from 0, the lowest

	count sync.Once
	lines []int // offsets at which lines begin; made at the first question
}

// pos is a place in a source. The zero pos is nowhere.
type pos struct {
	src *source
	off int
}

func (p pos) known() bool { return p.src != nil }

// lineCol counts from 1, columns in bytes as CUE does; 0, 0 for what has no lines.
func (p pos) lineCol() (line, col int) {
	if p.src == nil || p.src.env {
		return 0, 0
	}
	p.src.count.Do(func() {
		p.src.lines = []int{0}
		for i, c := range p.src.data {
			if c == '\n' {
				p.src.lines = append(p.src.lines, i+1)
			}
		}
	})
	line = sort.SearchInts(p.src.lines, p.off+1)
	return line, p.off - p.src.lines[line-1] + 1
}

// into moves p, the position of the string literal that means text, to a byte of
// that text. It stays put where the literal is not the text between quotes: the
// distance is then unknown.
func (p pos) into(text string, offset int) pos {
	if p.src == nil || p.src.env || offset <= 0 {
		return p
	}
	start := p.off
	for start < len(p.src.data) && p.src.data[start] == '#' {
		start++ // #"raw"#
	}
	if start < len(p.src.data) && (p.src.data[start] == '"' || p.src.data[start] == '\'') {
		start++
	}
	if bytes.HasPrefix(p.src.data[start:], []byte(text)) {
		return pos{p.src, start + offset}
	}
	return p
}

// word is the number or bare word that was written at p, "" if there is none.
func (p pos) word() string {
	if p.src == nil || p.src.env {
		return ""
	}
	return string(bareWord.Find(p.src.data[p.off:]))
}

var bareWord = regexp.MustCompile(`^[-+.\w]+`)

// lineStart is the position of the first visible byte of a line, counted from 1.
func (s *source) lineStart(line int) pos {
	off := 0
	for ; line > 1; line-- {
		next := bytes.IndexByte(s.data[off:], '\n')
		if next < 0 {
			break
		}
		off += next + 1
	}
	for off < len(s.data) && (s.data[off] == ' ' || s.data[off] == '\t') {
		off++
	}
	return pos{s, off}
}
