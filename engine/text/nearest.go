package text

// Nearest returns the word of among that is most likely meant by word, or "" when
// none is near: at most two edits, or a third of the word's length.
func Nearest(word string, among []string) string {
	plain := plainWord(word)
	best, bestDist := "", max(2, len(word)/3)+1
	for _, candidate := range among {
		other := plainWord(candidate)
		// Too different in length: not worth the product of the lengths, which a
		// caller could make large.
		if max(len(plain)-len(other), len(other)-len(plain)) >= bestDist {
			continue
		}
		if d := Distance(plain, other); d < bestDist {
			best, bestDist = candidate, d
		}
	}
	if bestDist >= len(word) {
		return ""
	}
	return best
}

// plainWord makes allowed_tools, allowed-tools and allowedTools the same word.
func plainWord(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_' || c == '-':
		case 'A' <= c && c <= 'Z':
			out = append(out, c+'a'-'A')
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// Distance counts insertions, deletions, substitutions and swaps of neighbours.
func Distance(a, b string) int {
	before, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(b)]
}

// DidYouMean is the hint for an unknown word, "" when nothing is near.
func DidYouMean(word string, among []string) string {
	if near := Nearest(word, among); near != "" {
		return `did you mean "` + near + `"?`
	}
	return ""
}
