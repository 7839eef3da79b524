// Package secret finds secrets in text by their shape: keys and tokens as vendors issue them,
// signed tokens, what follows "Bearer", private keys, and passwords in addresses.
//
// It hides which shapes there are. It must not know where a text comes from, nor which
// secrets the environment holds.
package secret

import "strings"

// Mark replaces a secret.
const Mark = "[redacted]"

// Redact replaces every secret in a text by Mark. Identifiers, checksums and encoded data stay
// as they are.
func Redact(text string) string {
	var b strings.Builder
	from := 0
	for at := 0; at < len(text); {
		start, end := find(text, at)
		if end == 0 {
			break
		}
		b.WriteString(text[from:start])
		b.WriteString(Mark)
		from, at = end, end
	}
	if from == 0 {
		return text
	}
	return b.String() + text[from:]
}

// In reports whether a text has a secret.
func In(text string) bool {
	_, end := find(text, 0)
	return end > 0
}

// find is where the first secret from a position on lies; end is 0 if there is none.
func find(text string, at int) (start, end int) {
	for i := at; i < len(text); i++ {
		candidates := byFirst[text[i]]
		if candidates == nil || !begins(text, i) {
			continue
		}
		for _, s := range candidates {
			if !s.matches(text[i:]) {
				continue
			}
			if from, to := s.extent(text[i:]); to > from {
				return i + from, i + to
			}
		}
	}
	return 0, 0
}

// begins reports whether a word may begin at a position: not inside of another one. The
// letter of an escape, as JSON has it, belongs to none.
func begins(text string, at int) bool {
	if at == 0 || !alphanumeric(text[at-1]) || !alphanumeric(text[at]) {
		return true
	}
	return at > 1 && text[at-2] == '\\' && strings.IndexByte("nrt", text[at-1]) >= 0
}

func alphanumeric(c byte) bool { return letter(c) || digit(c) }
func digit(c byte) bool        { return '0' <= c && c <= '9' }
func letter(c byte) bool       { return upper(c) || 'a' <= c && c <= 'z' }
func upper(c byte) bool        { return 'A' <= c && c <= 'Z' }

// word are the characters of keys that are written in the URL form of base64.
func word(c byte) bool { return alphanumeric(c) || c == '-' || c == '_' }

// run is the length of the longest beginning of a text that has only such characters.
func run(text string, of func(byte) bool) (n int) {
	for n < len(text) && of(text[n]) {
		n++
	}
	return n
}

// mixed reports whether a text has letters and digits and a part without dashes that is too
// long for a name: so does a random text, and a name in prose or code seldom.
func mixed(text string) bool {
	letters, digits, longest := false, false, 0
	for i := 0; i < len(text); {
		n := run(text[i:], alphanumeric)
		longest = max(longest, n)
		for _, c := range []byte(text[i : i+n]) {
			letters, digits = letters || letter(c), digits || digit(c)
		}
		i += max(n, 1)
	}
	return letters && digits && longest >= 10
}
