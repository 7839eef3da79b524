// Package promptpaths finds the files that a prompt makes a program read by mentioning
// them, as in "explain @main.go", and says which of them lie beyond the folders of a call.
//
// It hides in how many ways programs read such a mention, and how links lead out of a
// folder. It looks at the file system and changes nothing. It must not know how a call is
// made or what becomes of it.
package promptpaths

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
)

// Programs differ in what they take for a mention: where it may begin, where it ends,
// which quotes and escapes it knows, and whether .. is resolved before or after a
// link. A prompt is held against all of these readings at once.

const (
	maxMention = 4096     // bytes of a path that a system takes (PATH_MAX)
	maxName    = 255      // bytes of one name in it (NAME_MAX)
	maxWork    = 16 << 20 // for one prompt, in bytes of paths looked up: a fraction of a second
	statCost   = 256      // what a look at the file system costs, in such bytes
)

// Mentions reports whether the CLI may read files because the prompt names them.
func Mentions(call *catalog.Call) bool {
	return slices.Contains(call.CLI.CLISpec.Prompt.Expands, "@path") && strings.Contains(call.Prompt, "@")
}

// Outside says which file beyond the working directory and the roots the CLI would
// read because the prompt mentions it; "" if none. A mention of what does not exist
// is only text.
func Outside(call *catalog.Call, dir string, roots []string) string {
	if !Mentions(call) {
		return ""
	}
	f := newBoundary(dir, roots)
	for _, rest, found := strings.Cut(call.Prompt, "@"); found; _, rest, found = strings.Cut(rest, "@") {
		for path := range readings(rest) {
			switch crossed, err := f.crosses(path); {
			case err != nil:
				return err.Error()
			case crossed:
				return fmt.Sprintf("the prompt mentions @%s, which %s would read from outside the working directory %s", path, call.CLI.DisplayName(), dir)
			}
		}
	}
	return ""
}

// readings are the paths that the text behind an @ may begin with: quoted or not, up
// to any character at which some program might end a path, with escapes and without.
func readings(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for word := range words(text[:min(len(text), maxMention)]) {
			if !yield(word) {
				return
			}
			if strings.Contains(word, `\`) && !yield(unescaped(word)) {
				return
			}
		}
	}
}

// unescaped takes a backslash away before each character that it protects.
func unescaped(word string) string {
	plain := make([]byte, 0, len(word))
	for i := 0; i < len(word); i++ {
		if word[i] == '\\' && i+1 < len(word) {
			i++
		}
		plain = append(plain, word[i])
	}
	return string(plain)
}

func words(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if text != "" && strings.Contains(quotes, text[:1]) {
			inner, _, closed := strings.Cut(text[1:], text[:1])
			if closed && !yield(inner) {
				return
			}
		}
		bare := strings.TrimLeft(text, quotes+"([{<")
		if url, ok := strings.CutPrefix(bare, "file:"); ok {
			bare = strings.TrimPrefix(url, "//")
		}
		for _, start := range slices.Compact([]string{text, bare}) {
			if !prefixes(start, yield) {
				return
			}
		}
	}
}

// prefixes yields what may be a path at the beginning of text, up to the first space
// that is not escaped; false if yield stopped it. A program that ends paths at a
// character does so where it first stands, or where it first stands unescaped, so
// later ones need no look.
func prefixes(text string, yield func(string) bool) bool {
	type ending struct {
		char    rune
		escaped bool
	}
	seen := map[ending]bool{}
	end := len(text)
	for i, c := range text {
		at := ending{c, i > 0 && text[i-1] == '\\'}
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') && !at.escaped {
			end = i
			break
		}
		if isPathRune(c) {
			if c < utf8.RuneSelf {
				continue
			}
			at.char = utf8.RuneSelf // any letter is an end to programs that think in ASCII
		}
		if i > 0 && !seen[at] && !trimmed(text[:i], yield) {
			return false
		}
		seen[at] = true
	}
	return trimmed(text[:end], yield)
}

// trimmed yields a path as it is, without its last dots and without all marks at its
// end, which belong to the sentence around it. Of an ellipsis nothing is left.
func trimmed(path string, yield func(string) bool) bool {
	for _, p := range slices.Compact([]string{path, strings.TrimRight(path, "."), strings.TrimRight(path, marks)}) {
		if p != "" && !yield(p) {
			return false
		}
	}
	return true
}

const (
	quotes = "\"'`"
	marks  = quotes + ".,;:!?)]}>*_"
)

// isPathRune reports whether every program takes c for a part of a path.
func isPathRune(c rune) bool {
	return 'a' <= c && c <= 'z' || strings.ContainsRune("/@_.", c) || unicode.In(c, unicode.L, unicode.M, unicode.N)
}

// boundary is what the files that a prompt mentions must lie within.
type boundary struct {
	dir, home string
	allowed   []string        // with links resolved
	checked   map[string]bool // paths that were found to be inside
	work      int
}

func newBoundary(dir string, roots []string) *boundary {
	f := &boundary{dir: dir, home: host.Home(), checked: map[string]bool{}}
	for _, root := range append([]string{dir}, roots...) {
		if real, err := filepath.EvalSymlinks(root); err == nil {
			f.allowed = append(f.allowed, real)
		}
	}
	return f
}

var errTooManyMentions = errors.New("the prompt holds too many @ to check which files they mention; write them as \"at\", or ask in parts")

// crosses reports whether a path leads to something that exists beyond the boundary.
func (f *boundary) crosses(path string) (bool, error) {
	if f.work += statCost/8 + len(path)/2; f.work > maxWork {
		return false, errTooManyMentions
	}
	switch {
	case strings.Trim(path, ".") == "" && path != "..": // an ellipsis
		return false, nil
	case len(path) > maxName && !strings.Contains(path, "/"):
		return false, nil
	}
	if f.home != "" && (path == "~" || strings.HasPrefix(path, "~/")) {
		path = f.home + path[1:]
	}
	if !filepath.IsAbs(path) {
		path = f.dir + string(filepath.Separator) + path
	}
	// Some programs take x/.. away before they look, others leave that to the system,
	// for which it is the parent of whatever x links to.
	for _, p := range slices.Compact([]string{filepath.Clean(path), path}) {
		if f.checked[p] {
			continue
		}
		f.work += statCost + len(p)
		if _, err := os.Stat(p); err == nil {
			// What exists and has no path of its own, such as a descriptor, is outside.
			if real, err := filepath.EvalSymlinks(p); !(err == nil && f.contains(real)) {
				return true, nil
			}
		}
		f.checked[p] = true
	}
	return false, nil
}

// contains reports whether a path without links may be read. The root of the file
// system may be named: nobody reads it whole, and "@/*" is ordinary source text.
func (f *boundary) contains(real string) bool {
	return filepath.Dir(real) == real || slices.ContainsFunc(f.allowed, func(root string) bool { return below(real, root) })
}

func below(path, root string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
