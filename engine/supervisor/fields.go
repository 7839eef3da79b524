package supervisor

import "strconv"

// Records are sequences of key=value, each closed by a NUL, which no path,
// argument or environment can contain.

func appendField(b []byte, key, value string) []byte {
	b = append(b, key...)
	b = append(b, '=')
	b = append(b, value...)
	return append(b, 0)
}

func appendNumber(b []byte, key string, n int64) []byte {
	return appendField(b, key, strconv.FormatInt(n, 10))
}

// eachField calls visit with the fields of a record in order, until it returns false. It
// reports whether the record is well formed and visit returned true for all of it.
func eachField(record string, visit func(key, value string) bool) bool {
	for record != "" {
		field, rest, closed := cut(record, 0)
		key, value, ok := cut(field, '=')
		if !closed || !ok || key == "" || !visit(key, value) {
			return false
		}
		record = rest
	}
	return true
}

// fieldSet is a record in which no key is repeated.
type fieldSet struct {
	values map[string]string
	bad    bool // a field that was read is missing or not a number
}

func parseFields(b []byte) (*fieldSet, bool) {
	s := &fieldSet{values: map[string]string{}}
	ok := eachField(string(b), func(key, value string) bool {
		_, repeated := s.values[key]
		s.values[key] = value
		return !repeated
	})
	return s, ok
}

func (s *fieldSet) text(key string) string {
	v, ok := s.values[key]
	s.bad = s.bad || !ok
	return v
}

func (s *fieldSet) number(key string) int64 {
	n, err := strconv.ParseInt(s.text(key), 10, 64)
	s.bad = s.bad || err != nil
	return n
}

// truncateText shortens s to at most n bytes, not inside a UTF-8 sequence, and replaces
// NULs.
func truncateText(s string, n int) string {
	if n = max(n, 0); len(s) > n {
		for n > 0 && s[n]&0xC0 == 0x80 {
			n--
		}
		s = s[:n]
	}
	b := []byte(s)
	for i := range b {
		if b[i] == 0 {
			b[i] = ' '
		}
	}
	return string(b)
}

// cut splits s around the first sep. Package strings can do so too, but imports unicode,
// which is initialised after reflect, fmt and half a hundred other packages.
func cut(s string, sep byte) (before, after string, found bool) {
	for i := range len(s) {
		if s[i] == sep {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}
