package optimize

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// pattern is a regular expression, and texts of which one stands in everything that it matches; nil
// if none are known. To look for these takes a fraction of the time, and most patterns
// match nothing in most texts.
type pattern struct {
	*regexp.Regexp
	needs []string
}

// possible reports whether the pattern may match in the text.
func (p pattern) possible(text string) bool {
	for _, need := range p.needs {
		if strings.Contains(text, need) {
			return true
		}
	}
	return p.needs == nil
}

// needsOf finds the texts of which a pattern needs one.
func needsOf(src string) []string {
	tree, err := syntax.Parse(src, syntax.Perl)
	if err != nil {
		return nil
	}
	return literalsOf(tree)
}

// mostNeeds bounds for how many texts it is worth to look.
const mostNeeds = 8

func literalsOf(re *syntax.Regexp) (best []string) {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			return []string{string(re.Rune)}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return literalsOf(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return literalsOf(re.Sub[0])
		}
	case syntax.OpConcat: // all of it is needed: the longest text is the rarest
		for _, part := range re.Sub {
			if needs := literalsOf(part); needs != nil && (best == nil || shortest(needs) > shortest(best)) {
				best = needs
			}
		}
		return best
	case syntax.OpAlternate:
		for _, way := range re.Sub {
			needs := literalsOf(way)
			if needs == nil || len(best)+len(needs) > mostNeeds {
				return nil
			}
			best = append(best, needs...)
		}
		return best
	}
	return nil
}

func shortest(texts []string) int {
	least := len(texts[0])
	for _, text := range texts {
		least = min(least, len(text))
	}
	return least
}
