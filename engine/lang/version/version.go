// Package version orders the versions of programs and knows ranges of them.
//
// It hides how versions are written, and what a pre-release is before and after. It must
// not know what depends on a version, nor which is installed.
package version

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Version is the version of a program: numbers, and what a pre-release adds to them.
// The zero value is an unknown one.
type Version struct {
	text    string
	numbers []uint64
	pre     string // "rc.1", "" for a release
}

var versionText = regexp.MustCompile(`^v?([0-9]{1,18}(?:\.[0-9]{1,18}){0,5})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$`)

// Parse reads a version such as 2.1.329 or 0.170.0-alpha.2; ok is false for
// what is none.
func Parse(text string) (v Version, ok bool) {
	m := versionText.FindStringSubmatch(text)
	if m == nil {
		return Version{}, false
	}
	for _, part := range strings.Split(m[1], ".") {
		n, _ := strconv.ParseUint(part, 10, 64) // 18 digits always fit
		v.numbers = append(v.numbers, n)
	}
	v.text, v.pre = text, m[2]
	return v, true
}

// Known reports whether there is a version at all.
func (v Version) Known() bool { return v.numbers != nil }

// String is the version as it was written, "" if it is not known.
func (v Version) String() string { return v.text }

// Compare orders versions: by their numbers, of which missing ones count as 0, and a
// pre-release before its release.
func (v Version) Compare(w Version) int {
	if c := v.compareNumbers(w); c != 0 {
		return c
	}
	switch {
	case v.pre == w.pre:
		return 0
	case v.pre == "":
		return 1
	case w.pre == "":
		return -1
	}
	a, b := strings.Split(v.pre, "."), strings.Split(w.pre, ".")
	for i := range min(len(a), len(b)) {
		if c := comparePre(a[i], b[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

func (v Version) compareNumbers(w Version) int {
	at := func(v Version, i int) uint64 {
		if i < len(v.numbers) {
			return v.numbers[i]
		}
		return 0
	}
	for i := range max(len(v.numbers), len(w.numbers)) {
		if c := cmp.Compare(at(v, i), at(w, i)); c != 0 {
			return c
		}
	}
	return 0
}

// comparePre orders one part of a pre-release: numbers by value and before words.
func comparePre(a, b string) int {
	x, errX := strconv.ParseUint(a, 10, 64)
	y, errY := strconv.ParseUint(b, 10, 64)
	switch {
	case errX == nil && errY == nil:
		return cmp.Compare(x, y)
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return strings.Compare(a, b)
}

// Range is a range of versions: from Since on and before Until. An unknown bound
// is none.
type Range struct {
	Since, Until Version
}

// reaches reports whether v is not before the bound. A pre-release counts as what it
// will be, unless the bound names one itself: what 0.145 brought, 0.145.0-rc.1 has.
func (v Version) reaches(bound Version) bool {
	if bound.pre == "" {
		return v.compareNumbers(bound) >= 0
	}
	return v.Compare(bound) >= 0
}

// All reports whether the range leaves nothing out.
func (s Range) All() bool { return !s.Since.Known() && !s.Until.Known() }

// Has reports whether v lies in the range. An unknown version is taken for the newest.
func (s Range) Has(v Version) bool {
	if !v.Known() {
		return !s.Until.Known()
	}
	return (!s.Since.Known() || v.reaches(s.Since)) && (!s.Until.Known() || !v.reaches(s.Until))
}

// empty reports whether no version can lie in the range.
func (s Range) empty() bool {
	return s.Since.Known() && s.Until.Known() && s.Since.Compare(s.Until) >= 0
}

// Meets reports whether a version can lie in both ranges.
func (s Range) Meets(t Range) bool {
	before := func(a, b Range) bool {
		return a.Until.Known() && b.Since.Known() && a.Until.Compare(b.Since) <= 0
	}
	return !before(s, t) && !before(t, s)
}

// NewRange reads the bounds of a range, "" for none; what is wrong with them goes to ps,
// at the keys since and until.
func NewRange(since, until string, ps lang.Problems) Range {
	s := Range{}
	for _, bound := range []struct {
		key, text string
		into      *Version
	}{{"since", since, &s.Since}, {"until", until, &s.Until}} {
		v, ok := Parse(bound.text)
		if bound.text != "" && !ok {
			ps.At(bound.key).Add("version", "%q is not a version", text.Shorten(bound.text, 100)).Hint = `want numbers, as in "1.2.3"`
		}
		*bound.into = v
	}
	if s.empty() {
		ps.At("until").Add("version", "no version is from %s on and before %s", since, until).Hint = "until is the first version without it"
	}
	return s
}

// ParseRange reads "<0.145", ">=0.145" or ">=0.140 <0.145".
func ParseRange(body string, ps lang.Problems) (s Range, ok bool) {
	since, until := "", ""
	lower, upper, both := strings.Cut(body, " ")
	if !both && !strings.HasPrefix(body, ">=") {
		lower, upper = "", body
	}
	since, from := strings.CutPrefix(lower, ">=")
	until, below := strings.CutPrefix(upper, "<")
	if since == "" && until == "" || from != (lower != "") || below != (upper != "") || strings.HasPrefix(until, "=") {
		problem := ps.Add("version", "%q is not a range of versions", text.Shorten(body, 100))
		problem.Hint, problem.Key = `want "<1.2", ">=1.2" or ">=1.2 <1.5"`, true
		return Range{}, false
	}
	var found []lang.Problem
	s = NewRange(since, until, lang.Problems{List: &found})
	if len(found) > 0 {
		problem := ps.Add("version", "in range %q: %s", text.Shorten(body, 100), found[0].Text)
		problem.Hint, problem.Key = found[0].Hint, true
		return Range{}, false
	}
	return s, true
}

// Misses says why the installed version does not lie in the range.
func (s Range) Misses(heading string, installed Version) string {
	found := "installed is " + installed.text
	if !installed.Known() {
		found = "the installed version is not known, so the newest is assumed"
	}
	if s.Since.Known() && installed.Known() && !installed.reaches(s.Since) {
		return fmt.Sprintf("needs %s %s or newer; %s", heading, s.Since.text, found)
	}
	return fmt.Sprintf("is gone since %s %s; %s", heading, s.Until.text, found)
}
