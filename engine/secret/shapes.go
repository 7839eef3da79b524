package secret

import "strings"

// shape is one kind of secret.
type shape struct {
	prefix string
	fold   bool // the case of the prefix does not matter
	// extent is where in a text that begins with the prefix the secret lies; to is 0 if it is none.
	extent func(text string) (from, to int)
}

func (s *shape) matches(text string) bool {
	if s.fold {
		return len(text) >= len(s.prefix) && strings.EqualFold(text[:len(s.prefix)], s.prefix)
	}
	return strings.HasPrefix(text, s.prefix)
}

// key is a shape of so many characters of a kind behind its prefix, at least; all of it is
// the secret if what is behind the prefix passes.
func key(prefix string, of func(byte) bool, least int, passes func(string) bool) *shape {
	return &shape{prefix: prefix, extent: func(text string) (from, to int) {
		tail := text[len(prefix):]
		n := run(tail, of)
		if n < least || passes != nil && !passes(tail[:n]) {
			return 0, 0
		}
		return 0, len(prefix) + n
	}}
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

func upperOrDigit(c byte) bool { return upper(c) || digit(c) }

var shapes = []*shape{
	key("sk-ant-", word, 12, nil), key("sk-proj-", word, 12, hasDigit), key("sk-svcacct-", word, 12, hasDigit), key("sk-or-", word, 12, hasDigit),
	key("sk-", word, 16, mixed),
	key("sk_live_", alphanumeric, 12, nil), key("sk_test_", alphanumeric, 12, nil), key("rk_live_", alphanumeric, 12, nil),
	key("ghp_", alphanumeric, 20, nil), key("gho_", alphanumeric, 20, nil), key("ghu_", alphanumeric, 20, nil), key("ghs_", alphanumeric, 20, nil), key("ghr_", alphanumeric, 20, nil),
	key("github_pat_", word, 20, nil), key("glpat-", word, 16, nil),
	key("gsk_", alphanumeric, 20, hasDigit), key("hf_", alphanumeric, 30, nil), key("npm_", alphanumeric, 36, nil), key("pypi-", word, 50, hasDigit),
	key("xoxb-", word, 10, hasDigit), key("xoxp-", word, 10, hasDigit), key("xoxa-", word, 10, hasDigit), key("xoxs-", word, 10, hasDigit), key("xapp-", word, 16, hasDigit),
	key("AIza", word, 30, nil), key("ya29.", word, 20, nil),
	key("AKIA", upperOrDigit, 16, sixteen), key("ASIA", upperOrDigit, 16, sixteen),
	{prefix: "eyJ", extent: signedToken},
	{prefix: "bearer", fold: true, extent: bearer},
	{prefix: "-----BEGIN ", extent: privateKey},
	{prefix: "://", extent: password},
	{prefix: "-", extent: longKey},
	{prefix: "x", extent: ofVendor},
}

// byFirst are the shapes by their first byte.
var byFirst = func() (by [256][]*shape) {
	for _, s := range shapes {
		by[s.prefix[0]] = append(by[s.prefix[0]], s)
		if first := strings.ToUpper(s.prefix)[0]; s.fold {
			by[first] = append(by[first], s)
		}
	}
	return by
}()

// longKey is what follows the name of a vendor and a dash: letters of both cases and digits,
// more of them than any hash has. One in base64 goes on with other characters.
func longKey(text string) (from, to int) {
	const least = 60
	n := run(text[1:], alphanumeric)
	body, after := text[1:1+n], text[1+n:]
	if n < least || !hasDigit(body) || strings.ToLower(body) == body || strings.ToUpper(body) == body || after != "" && strings.IndexByte("+/=_-.", after[0]) >= 0 {
		return 0, 0
	}
	return 1, 1 + n
}

// ofVendor is a shorter key that begins with the name of its vendor, which ends in "ai".
func ofVendor(text string) (from, to int) {
	name := run(text, func(c byte) bool { return letter(c) && !upper(c) })
	if name > 5 || !strings.HasSuffix(text[:name], "ai") || !strings.HasPrefix(text[name:], "-") {
		return 0, 0
	}
	tail := text[name+1:]
	n := run(tail, word)
	if n < 16 || !mixed(tail[:n]) {
		return 0, 0
	}
	return 0, name + 1 + n
}

// sixteen holds for ids of access keys, which have that length.
func sixteen(s string) bool { return len(s) == 16 }

// signedToken is a JSON Web Token: parts in base64 with dots between, of which the first is
// an object.
func signedToken(text string) (from, to int) {
	end, parts := 0, 0
	for {
		n := run(text[end:], word)
		if n < 8 && parts < 2 {
			return 0, 0
		}
		end += n
		if parts++; parts == 5 || end == len(text) || text[end] != '.' || parts >= 2 && run(text[end+1:], word) < 8 {
			break
		}
		end++
	}
	if parts < 2 {
		return 0, 0
	}
	return 0, end
}

// bearer is what follows the word, unless it is a word itself.
func bearer(text string) (from, to int) {
	const name = len("bearer")
	gap := run(text[name:], func(c byte) bool { return c == ' ' || c == '\t' || c == ':' || c == '=' || c == '"' })
	token := text[name+gap:]
	n := run(token, func(c byte) bool { return word(c) || strings.IndexByte(".~+/=", c) >= 0 })
	if token = token[:n]; gap == 0 || n < 12 {
		return 0, 0
	}
	random := false
	for i := 1; i < len(token); i++ { // "Bearer authentication" has neither
		random = random || digit(token[i]) || upper(token[i])
	}
	if !random && n < 32 {
		return 0, 0
	}
	return name + gap, name + gap + n
}

// privateKey is a block in the text form of keys, up to its end or as far as it goes.
func privateKey(text string) (from, to int) {
	const begin, kind = "-----BEGIN ", "PRIVATE KEY"
	n := len(begin) + run(text[len(begin):], func(c byte) bool { return upperOrDigit(c) || c == ' ' })
	if !strings.HasSuffix(text[:n], kind) && !strings.HasSuffix(text[:n], kind+" BLOCK") || !strings.HasPrefix(text[n:], "-----") {
		return 0, 0
	}
	n += len("-----")
	if end := strings.Index(text[n:], "-----END "); end >= 0 {
		if tail := strings.Index(text[n+end+len("-----END "):], "-----"); tail >= 0 && tail < 64 {
			return 0, n + end + len("-----END ") + tail + len("-----")
		}
	}
	return 0, n + run(text[n:], func(c byte) bool { return alphanumeric(c) || strings.IndexByte("+/=\\ \t\r\n", c) >= 0 })
}

// password is that of a user in an address.
func password(text string) (from, to int) {
	const scheme = len("://")
	user := run(text[scheme:], func(c byte) bool { return c > ' ' && strings.IndexByte("/:@\"'`<>(){}[]$", c) < 0 })
	if colon := scheme + user; colon < len(text) && text[colon] == ':' {
		start := colon + 1
		n := run(text[start:], func(c byte) bool { return c > ' ' && strings.IndexByte("/@\"'`<>{}[]$", c) < 0 })
		if end := start + n; n >= 3 && end < len(text) && text[end] == '@' {
			return start, end
		}
	}
	return 0, 0
}
