//go:build unix

package installed

import (
	"strings"
	"testing"
	"time"
)

func (m *machine) help(words ...string) (string, error) {
	return m.Help(m.t.Context(), m.catalog, m.acme(), words)
}

func TestHelp(t *testing.T) {
	const text = "Usage: acme\n\nOptions:\n  --model NAME  Model"
	for name, c := range map[string]struct{ script, want, err string }{
		"on standard output":     {"echo \"" + text + "\"", text + "\n", ""},
		"on standard error":      {"echo \"" + text + "\" >&2; exit 2", text + "\n", ""},
		"beside a warning":       {"echo 'node is - old' >&2; echo \"" + text + "\"", text + "\n", ""},
		"in the usage line only": {"echo 'usage: acme [--json]'", "usage: acme [--json]\n", ""},
		"an error":               {"echo 'unknown command' >&2; exit 2", "", `it ended with exit code 2: "unknown command"`},
		"prose":                  {"echo 'I am acme'", "", "its help text contains nothing that looks like an option"},
		"nothing":                {"exit 0", "", "its help text contains nothing that looks like an option"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, asks)
			m.program("acme", c.script)
			got, err := m.help("--help")
			if got != c.want || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// TestHelpIsAllThatIsAsked holds that words which could do something else are not run.
func TestHelpIsAllThatIsAsked(t *testing.T) {
	m := newMachine(t, asks)
	m.program("acme", "echo ran; echo '  --x'")
	for _, words := range [][]string{nil, {"help"}, {"run"}, {"-p", "--help"}, {"--", "--help"}, {"--help", "now"}, {"--version"}} {
		if got, err := m.help(words...); err == nil || got != "" {
			t.Errorf("%q: %q, %v", words, got, err)
		}
	}
	if got, err := m.help("run", "deep", "-h"); err != nil || !strings.HasPrefix(got, "ran") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestHelpThatNeverComes(t *testing.T) {
	m := newMachine(t, asks)
	m.limit = 50 * time.Millisecond
	m.program("acme", "read x < /dev/null; exec sleep 600")
	if _, err := m.help("--help"); err == nil || !strings.Contains(err.Error(), "did not answer within 50ms") {
		t.Error(err)
	}
}
