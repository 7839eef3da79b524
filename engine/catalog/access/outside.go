package access

import (
	"fmt"
	"strings"
	"unicode"
)

// Slots that stand for all that is not in the working directory, in the two ways in which
// programs write "any other character" in a glob.
const (
	slotOutside      = "{cwd.outside}"       // [!x]
	slotOutsideCaret = "{cwd.outside.caret}" // [^x]
)

// outside repeats a word that says "outside of the working directory", once for each of the
// globs that together say it. A word that does not comes back alone. It is an error if the
// directory has characters of which not every program makes the same.
func outside(word, dir string) ([]string, error) {
	for slot, not := range map[string]string{slotOutside: "!", slotOutsideCaret: "^"} {
		if !strings.Contains(word, slot) {
			continue
		}
		if dir == slotCwd { // the call is only shown
			break
		}
		if odd := strings.IndexFunc(dir, unnamed); odd >= 0 || !strings.HasPrefix(dir, "/") {
			return nil, fmt.Errorf("the working directory %s has characters that no rule of the program can name", dir)
		}
		var words []string
		for _, glob := range globsOutside(dir, not) {
			words = append(words, strings.ReplaceAll(word, slot, glob))
		}
		return words, nil
	}
	return []string{word}, nil
}

func unnamed(r rune) bool {
	return r >= 0x10000 || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-+@=:, ", r)
}

// globsOutside match every path that is not below a directory: one whose first difference
// is another character, or that its component ends before. The class [x] keeps programs
// from looking for a file of that name.
func globsOutside(dir, not string) (globs []string) {
	path := []rune(strings.TrimSuffix(dir, "/") + "/")
	for i := 1; i < len(path); i++ {
		same, last, next := string(path[:i]), path[i-1], path[i]
		other := same + "[" + not + string(next) + "]*"
		globs = append(globs, other, other+"/**")
		if last != '/' && next != '/' {
			shorter := string(path[:i-1]) + "[" + string(last) + "]"
			globs = append(globs, shorter, shorter+"/**")
		}
	}
	return globs
}
