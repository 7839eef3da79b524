package clients

import (
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// TestFind: the first client that matches counts, and of none nothing is known.
func TestFind(t *testing.T) {
	var specs lang.Map[lang.ClientSpec]
	specs.Set("desk", lang.ClientSpec{Match: []string{"^desk", "^table$"}, Result: lang.ClientResult{Chars: 1000, Shows: "text"}, Cancel: lang.ClientCancel{Detach: []string{"late"}, End: []string{"too late"}}})
	specs.Set("any", lang.ClientSpec{Match: []string{"."}, Result: lang.ClientResult{Chars: 2000}})
	specs.Set("none", lang.ClientSpec{})
	table := Compile(specs, lang.NewProblems())
	for name, want := range map[string]int{"desk-7": 1000, "table": 1000, "tables": 2000, "a desk": 2000, "": 0} {
		if chars, _, _ := table.Find(name).Takes(); chars != want {
			t.Errorf("%q takes %d characters, want %d", name, chars, want)
		}
	}
	if _, text, structure := table.Find("desk").Takes(); !text || structure {
		t.Error("it shows texts")
	}
	if _, text, structure := table.Find("x").Takes(); !text || !structure {
		t.Error("both parts count if nothing is said")
	}
	for reason, want := range map[string]bool{"it is late": true, "it is too late": false, "timeout": false, "": false} {
		if detaches, known := table.Find("desk").Detaches(reason); detaches != want || !known {
			t.Errorf("%q: %v %v", reason, detaches, known)
		}
	}
	for _, name := range []string{"x", ""} {
		if detaches, known := table.Find(name).Detaches("late"); detaches || known {
			t.Errorf("something is known about cancellations of %q", name)
		}
	}
}
