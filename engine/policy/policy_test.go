package policy

import (
	"fmt"
	"strings"
	"testing"
)

func TestPolicies(t *testing.T) {
	c, _ := compile(t, `{"policy": {"c": {"approve": 9, "ask": 20, "includes": "b"}, "b": {"approve": 5, "includes": "a"}, "a": {"approve": 5}, "x": {"approve": 1, "ask": 9, "human": "deny"}}}`)
	for name, want := range map[string]string{"a": "5 a", "b": "5 b a", "c": "20 c b a", "x": "1 x"} {
		p, ok := c.Policy(name)
		if !ok {
			t.Fatalf("no policy %s", name)
		}
		covers := []string{}
		for _, other := range []string{"x", "c", "b", "a"} {
			if p.Covers(other) {
				covers = append(covers, other)
			}
		}
		if got := fmt.Sprint(p.Limit(), " ", strings.Join(covers, " ")); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if p, ok := c.Policy("d"); ok || p != nil {
		t.Errorf("%+v", p)
	}
}
