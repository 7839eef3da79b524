package supervisor

// Records are sequences of key=value, each closed by a NUL, which no path,
// argument or environment can contain.

func appendField(b []byte, key, value string) []byte {
	b = append(b, key...)
	b = append(b, '=')
	b = append(b, value...)
	return append(b, 0)
}

func appendNumber(b []byte, key string, n int64) []byte { return appendField(b, key, itoa(n)) }

// eachField visits the fields of b in order. It reports whether b is well formed
// and visit was content with all of it.
func eachField(b []byte, visit func(key, value string) bool) bool {
	for len(b) > 0 {
		end := indexByte(b, 0)
		if end < 0 {
			return false
		}
		eq := indexByte(b[:end], '=')
		if eq < 1 || !visit(string(b[:eq]), string(b[eq+1:end])) {
			return false
		}
		b = b[end+1:]
	}
	return true
}

// fieldSet holds the fields of a record in which no key comes twice.
type fieldSet struct {
	values map[string]string
	bad    bool // something that was asked for is missing or not a number
}

func parseFields(b []byte) (*fieldSet, bool) {
	s := &fieldSet{values: map[string]string{}}
	ok := eachField(b, func(key, value string) bool {
		_, twice := s.values[key]
		s.values[key] = value
		return !twice
	})
	return s, ok
}

func (s *fieldSet) text(key string) string {
	v, ok := s.values[key]
	s.bad = s.bad || !ok
	return v
}

func (s *fieldSet) number(key string) int64 {
	n, ok := atoi(s.text(key))
	s.bad = s.bad || !ok
	return n
}

func indexByte(b []byte, c byte) int {
	for i := range b {
		if b[i] == c {
			return i
		}
	}
	return -1
}

func hasNUL(s string) bool {
	for i := range len(s) {
		if s[i] == 0 {
			return true
		}
	}
	return false
}

func hasPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && s[:len(prefix)] == prefix
}

func cutPrefix(s, prefix string) (rest string, ok bool) {
	if !hasPrefix(s, prefix) {
		return "", false
	}
	return s[len(prefix):], true
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
	if !hasNUL(s) {
		return s
	}
	b := []byte(s)
	for i := range b {
		if b[i] == 0 {
			b[i] = ' '
		}
	}
	return string(b)
}

func itoa(n int64) string {
	var b [20]byte
	i := len(b)
	u := uint64(n)
	if n < 0 {
		u = -u
	}
	for {
		i--
		b[i] = byte('0' + u%10)
		if u /= 10; u == 0 {
			break
		}
	}
	if n < 0 {
		i--
		b[i] = '-'
	}
	return string(b[i:])
}

// atoi takes what itoa gives and nothing else.
func atoi(s string) (int64, bool) {
	digits, negative := s, false
	if len(s) > 0 && s[0] == '-' {
		digits, negative = s[1:], true
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && s != "0" {
		return 0, false
	}
	var u uint64
	for i := range len(digits) {
		c := digits[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		u = u*10 + uint64(c-'0')
	}
	const most = 1<<63 - 1
	switch {
	case negative && u <= most+1:
		return int64(-u), true
	case !negative && u <= most:
		return int64(u), true
	}
	return 0, false
}

// crc32 is the checksum of IEEE 802.3. It has no table: some kilobytes are summed
// in the life of a process.
func crc32(b []byte) uint32 {
	sum := ^uint32(0)
	for _, c := range b {
		sum ^= uint32(c)
		for range 8 {
			sum = sum>>1 ^ 0xEDB88320&-(sum&1)
		}
	}
	return ^sum
}
