package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang/reference"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// section is a part of a Markdown page, from a heading on.
type section struct {
	title string
	level int    // number of #
	text  string // down to the next heading of the same level or a higher one
	intro string // down to the next heading of any level
}

// sections are those of a page in their order, the first of which is the page itself.
func sections(page string) []section {
	var all []section
	var starts []int
	at, fenced := 0, false
	for line := range strings.Lines(page) {
		fenced = fenced != strings.HasPrefix(line, "```")
		title := strings.TrimLeft(line, "#")
		if level := len(line) - len(title); level > 0 && !fenced && strings.HasPrefix(title, " ") {
			all = append(all, section{title: strings.TrimSpace(title), level: level})
			starts = append(starts, at)
		}
		at += len(line)
	}
	starts = append(starts, at)
	for i := range all {
		next := i + 1
		all[i].intro = page[starts[i]:starts[next]]
		for next < len(all) && all[next].level > all[i].level {
			next++
		}
		all[i].text = page[starts[i]:starts[next]]
	}
	return all
}

// topics are the sections of a page that are directly below its title.
func topics(page string) []section {
	return slices.DeleteFunc(sections(page), func(s section) bool { return s.level != 2 })
}

// topic finds a section of a page by its anchor; "" if there is none.
func topic(page, name string) string {
	for _, s := range topics(page) {
		if reference.Anchor(s.title) == reference.Anchor(name) {
			return s.text
		}
	}
	return ""
}

// summary is the first sentence below a heading.
func (s section) summary() string {
	_, text, _ := strings.Cut(s.intro, "\n\n")
	text, _, _ = strings.Cut(text, ".\n")
	return text
}

var (
	foreignLink = regexp.MustCompile(`\[([^\]]+)\]\((https?://[^)]+)\)`)
	ownLink     = regexp.MustCompile(`\[([^\]]+)\]\([^)]+\)`)
	remark      = regexp.MustCompile(`(?s)<!--.*?-->\n?`)
)

// readable is Markdown for a terminal: without the targets of links between pages, which
// are not there, and without comments.
func readable(text string) string {
	text = remark.ReplaceAllString(text, "")
	text = foreignLink.ReplaceAllString(text, "$1 ($2)")
	return ownLink.ReplaceAllString(text, "$1")
}

// field is the documentation of one path of the language: the section that is about it,
// or the row of a table.
type field struct {
	path []string
	text string
}

// fields are all paths that a page documents, headings first. A heading is one path or
// several, with commas between them; the first cell of a table's row names fields below
// its heading.
func fields(page string) []field {
	var headings, rows []field
	for _, s := range sections(page) {
		paths := pathsOf(s.title)
		for _, path := range paths {
			headings = append(headings, field{path, s.text})
		}
		if paths != nil {
			rows = append(rows, s.rows(paths)...)
		}
	}
	return append(headings, rows...)
}

// rows are the fields in the tables of a section, each with the head of its table.
func (s section) rows(paths [][]string) []field {
	var all []field
	head := "" // of the table that is being read
	for line := range strings.Lines(s.intro) {
		cells := strings.SplitN(line, "|", 3)
		switch {
		case len(cells) < 3 || cells[0] != "":
			head = ""
			continue
		case head == "" || strings.HasPrefix(line, "|-"):
			head += line
			continue
		}
		for _, name := range codeSpan.FindAllStringSubmatch(cells[1], -1) {
			if path := join(paths, segments(name[1])); path != nil {
				all = append(all, field{path, strings.Repeat("#", s.level) + " " + s.title + "\n\n" + head + line})
			}
		}
	}
	return all
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// pathsOf reads a heading that consists of paths; nil if it is prose.
func pathsOf(title string) [][]string {
	var paths [][]string
	for part := range strings.SplitSeq(strings.ReplaceAll(title, "`", ""), ", ") {
		if !fieldPath.MatchString(part) {
			return nil
		}
		paths = append(paths, segments(part))
	}
	return paths
}

var fieldPath = regexp.MustCompile(`^[a-z][A-Za-z]*([.:] ?[A-Za-z]+|\[\])*$`)

// segments are the parts of a path. Names that a user chooses, such as NAME, are no part.
func segments(path string) []string {
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == ':' || r == ' ' || r == '[' || r == ']' })
	return slices.DeleteFunc(parts, func(part string) bool { return part == strings.ToUpper(part) })
}

// join puts the name in a row behind one of the paths of its heading: behind the one with
// whose end it begins (cli.output and output.text), else behind the first.
func join(paths [][]string, name []string) []string {
	if len(name) == 0 {
		return nil
	}
	for _, path := range paths {
		if top := len(path) - 1; path[top] == name[0] {
			return slices.Concat(path[:top], name)
		}
	}
	return slices.Concat(paths[0], name)
}

// lookUp finds what a page says about a path: about the path itself, else about the
// nearest part of the language that contains it. If it rather seems to be misspelt, near
// is the path that is likely meant. The path may hold names that a user chose, as in
// cli.acme.params.voice.flag.
func lookUp(page, path string) (found, near string) {
	var best field
	var known []string
	want := segments(path)
	for _, f := range fields(page) {
		if contains(want, f.path) && len(f.path) > len(best.path) {
			best = f
		}
		known = append(known, strings.Join(f.path, "."))
	}
	if len(best.path) > 0 && best.path[len(best.path)-1] == want[len(want)-1] {
		return best.text, ""
	}
	near = text.Nearest(strings.Join(want, "."), known)
	if near == "" || near == strings.Join(best.path, ".") {
		return best.text, ""
	}
	return "", near
}

// contains reports whether the path is want without some of its inner parts.
func contains(want, path []string) bool {
	if len(want) == 0 || len(path) == 0 || want[0] != path[0] {
		return false
	}
	for _, part := range path {
		i := slices.Index(want, part)
		if i < 0 {
			return false
		}
		want = want[i+1:]
	}
	return true
}
