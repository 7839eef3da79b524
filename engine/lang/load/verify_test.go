package load

import (
	"strings"
	"testing"
)

// TestCUEDecides holds that what the walk overlooks is still refused, at the place
// where it stands. The walk is left out here.
func TestCUEDecides(t *testing.T) {
	for text, want := range map[string]string{
		`cli: acme: {bin: "a b", argv: []}`:                                  "x.cue:1:18: cli.acme.bin: must be one program name",
		`cli: acme: {bin: "a", argv: [], nope: 1}`:                           "x.cue:1:39: cli.acme.nope: field not allowed",
		`cli: acme: {argv: []}`:                                              "x.cue:1:6: cli.acme: field is required but not present",
		`cli: acme: {bin: "a", argv: [""]}`:                                  "x.cue:1:29: cli.acme.argv: must be a list of words",
		`cli: acme: {bin: "a", argv: [], "a\u2028\"b": {"\u007f<&>": "\\"}}`: "x.cue:1:33: cli.acme.a",
	} {
		l := loader{r: &report{}}
		root := over(nil, l.layers([]Layer{layer("x.cue", text)}, 0)[0], nil, l.r)
		verify([][]string{{"cli", "acme"}}, root, nil, l.r)
		if len(l.r.list) == 0 || !strings.HasPrefix(l.r.list[0].String(), want) {
			t.Errorf("%s: want %s, got %v", text, want, l.r.list)
		}
	}
}

// TestContextsAreRenewed: more entries than one context takes.
func TestContextsAreRenewed(t *testing.T) {
	res := mustLoad(t, Options{}, many(4*perContext+1, ".cue"))
	if got := len(res.Catalog.CLIs); got != 4*perContext+1 {
		t.Error(got)
	}
}
