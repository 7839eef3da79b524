package text

import "testing"

func TestMergeJSON(t *testing.T) {
	for _, c := range []struct{ below, above, want string }{
		{``, `{"a":1}`, `{"a":1}`},
		{`x`, `y`, `y`},
		{`{"a":{"b":1,"c":[1]},"d":1}`, `{"a":{"c":[2],"e":"<"},"d":{}}`, `{"a":{"b":1,"c":[2],"e":"<"},"d":{}}`},
		{`{"a":1}`, `null`, `null`},
		{`{"a":1}`, `[1]`, `[1]`},
	} {
		if got := MergeJSON(c.below, c.above); got != c.want {
			t.Errorf("%s under %s: %s", c.below, c.above, got)
		}
	}
}
