package author

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestParseHelp reads texts in the manner of the usual libraries, one a file.
func TestParseHelp(t *testing.T) {
	files, err := filepath.Glob("testdata/help/*.txt")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := shown(ParseHelp(string(text)))
			golden := strings.TrimSuffix(file, ".txt") + ".golden"
			if os.Getenv("GATEWAY_UPDATE") != "" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// shown is a help text as its golden file has it: a line for each option and command.
func shown(h Help) string {
	var b strings.Builder
	fmt.Fprintf(&b, "usage %s\n", strings.Join(h.Usage, " "))
	for _, o := range h.Options {
		fmt.Fprintf(&b, "option %s", strings.Join(o.Names, " "))
		for _, part := range []struct {
			label string
			is    bool
			value string
		}{
			{"value", o.Value != "", o.Value}, {"optional", o.Optional, ""}, {"list", o.List, ""},
			{"values", o.Values != nil && !o.Loose, strings.Join(o.Values, ",")}, {"maybe", o.Loose, strings.Join(o.Values, ",")},
			{"default", o.Default != "", o.Default}, {"doc", o.Doc != "", o.Doc},
		} {
			if part.is {
				fmt.Fprintf(&b, " | %s", strings.TrimSpace(part.label+" "+part.value))
			}
		}
		b.WriteByte('\n')
	}
	for _, c := range h.Commands {
		fmt.Fprintf(&b, "command %s | %s\n", strings.Join(c.Names, " "), c.Doc)
	}
	return b.String()
}

// FuzzParseHelp holds that no text is too strange, and that what is found can be asked
// for again.
func FuzzParseHelp(f *testing.F) {
	files, err := filepath.Glob("testdata/help/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("Options:\n  --a[\n  -b <\n  --c=\n  --d \xff\n  -\n  --\n  --e,\n  --f |")
	f.Fuzz(func(t *testing.T, text string) {
		h := ParseHelp(text)
		for _, o := range h.Options {
			if len(o.Names) == 0 || h.Option(o.Names[0]) == nil {
				t.Errorf("option %+v", o)
			}
			for _, name := range o.Names {
				if optionName.FindString(name) != name {
					t.Errorf("%q is no name of an option", name)
				}
			}
		}
		for _, c := range h.Commands {
			if len(c.Names) == 0 || h.Command(c.Names[0]) == nil {
				t.Errorf("command %+v", c)
			}
		}
		if again := shown(ParseHelp(text)); again != shown(h) {
			t.Error("read twice, it differs")
		}
	})
}
