package version

import (
	"slices"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

func parsed(t *testing.T, text string) Version {
	t.Helper()
	v, ok := Parse(text)
	if !ok || v.String() != text || !v.Known() {
		t.Fatalf("%q: %+v, %v", text, v, ok)
	}
	return v
}

func TestVersionsInOrder(t *testing.T) {
	sorted := []string{
		"0", "0.0.1", "0.0.1790142911-g7618fb", "0.0.1790142911", "0.9", "0.10.0-rc.1", "0.10", "0.145.2", "1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-10.1",
		"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-rc.2", "1.0.0-rc.11", "1.0.0", "2.1.329", "v3", "999999999999999999",
	}
	for i, a := range sorted {
		for j, b := range sorted {
			if got := parsed(t, a).Compare(parsed(t, b)); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%s and %s: %d", a, b, got)
			}
		}
	}
	for _, same := range [][2]string{{"1", "1.0.0"}, {"1.2+build.5", "v1.2.0"}, {"1.0-rc.1", "1.0.0-rc.1+x"}} {
		if parsed(t, same[0]).Compare(parsed(t, same[1])) != 0 {
			t.Errorf("%s", same)
		}
	}
	for _, none := range []string{"", "v", "1.", ".1", "1..2", "1.2.3 ", " 1", "1.2\n", "1.x", "-1", "1.2-", "1_2", "1.2.3.4.5.6.7", "1234567890123456789", "latest"} {
		if v, ok := Parse(none); ok || v.Known() {
			t.Errorf("%q is taken for a version", none)
		}
	}
}

func TestRanges(t *testing.T) {
	read := func(text string) Range {
		var found []lang.Problem
		s, ok := ParseRange(text, lang.Problems{List: &found})
		if !ok || len(found) > 0 {
			t.Fatalf("%q: %v", text, found)
		}
		return s
	}
	// An unknown version, "", is taken for the newest.
	versions := []string{"0", "1", "1.4.9", "1.5.0-rc.1", "1.5", "1.5.0", "2", "2.0.9", "2.1.0-alpha", "2.1", "3", ""}
	for text, in := range map[string][]string{
		"<1.5":        {"0", "1", "1.4.9"},
		"<1.5.0-rc.2": {"0", "1", "1.4.9", "1.5.0-rc.1"},
		">=1.5":       {"1.5.0-rc.1", "1.5", "1.5.0", "2", "2.0.9", "2.1.0-alpha", "2.1", "3", ""},
		">=1.5 <2.1":  {"1.5.0-rc.1", "1.5", "1.5.0", "2", "2.0.9"},
	} {
		s := read(text)
		for _, v := range versions {
			if installed, _ := Parse(v); s.Has(installed) != slices.Contains(in, v) {
				t.Errorf("%q in %q: %v", v, text, s.Has(installed))
			}
		}
	}
	for _, c := range []struct {
		a, b  string
		meets bool
	}{
		{"<1", "<2", true}, {"<1", ">=1", false}, {"<1", ">=0.9", true}, {">=1", ">=9", true},
		{">=1 <2", ">=2 <3", false}, {">=1 <2.0.1", ">=2 <3", true}, {">=1 <4", ">=2 <3", true}, {">=1 <2", "<1.0.0", false},
	} {
		if read(c.a).Meets(read(c.b)) != c.meets || read(c.b).Meets(read(c.a)) != c.meets {
			t.Errorf("%s and %s", c.a, c.b)
		}
	}
}
