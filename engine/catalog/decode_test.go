package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

// TestDecode reads, for each case, what a run printed and how it ended ("run").
func TestDecode(t *testing.T) {
	langtest.Archives(t, "decode", func(t *testing.T, files map[string]string) string {
		args := json.RawMessage(files["args.json"])
		if len(args) == 0 {
			args = json.RawMessage(`{"prompt":"hi"}`)
		}
		call, violations := compiled(t, langtest.Text(t, files)).Bind(args, nil, langtest.IDs())
		if violations != nil {
			t.Fatal(violations)
		}
		run := struct {
			Exit          int
			Signal, Ended string
			Cut           bool
			File          string // what is wrong with the file
			FileCut       bool
			Began, At     time.Time
		}{}
		if text := files["run"]; text != "" {
			if err := json.Unmarshal([]byte(text), &run); err != nil {
				t.Fatal(err)
			}
		}
		stdout := langtest.Expand(files["stdout"])
		// In pieces of a byte, and at once, the same must come out.
		want := ""
		for _, r := range []io.Reader{iotest.OneByteReader(strings.NewReader(stdout)), strings.NewReader(stdout)} {
			decoded := extract.Run{Stdout: r, Stderr: files["stderr"], Exit: run.Exit, Signal: run.Signal, Ended: run.Ended, Cut: run.Cut, Began: run.Began, At: run.At}
			if text, ok := files["file"]; ok || run.File != "" {
				decoded.File = func(session string) (extract.File, error) {
					if run.File != "" {
						return extract.File{}, errors.New(run.File)
					}
					text := strings.ReplaceAll(text, "SESSION", session)
					return extract.File{Text: io.NopCloser(strings.NewReader(text)), Cut: run.FileCut}, nil
				}
			}
			answer, err := call.Decode(decoded)
			if err != nil {
				t.Fatal(err)
			}
			got := printAnswer(answer)
			if want != "" && got != want {
				t.Errorf("in pieces:\n%sat once:\n%s", want, got)
			}
			want = got
		}
		return want
	})
}

// printAnswer writes an answer for people; what it does not hold is left out.
func printAnswer(a extract.Answer) string {
	var b strings.Builder
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, langtest.Shown(value))
		}
	}
	line("text", a.Text)
	if a.Shown != a.Text {
		line("shown", a.Shown)
	}
	line("session", a.SessionID)
	line("model", a.Model)
	for _, name := range slices.Sorted(maps.Keys(a.Usage)) {
		line(name, fmt.Sprint(a.Usage[name]))
	}
	line("scope", a.Scope)
	if a.CostUSD != nil {
		line("cost", fmt.Sprint(*a.CostUSD))
	}
	line("cost scope", a.CostScope)
	for _, w := range a.Warnings {
		line("warning", w)
	}
	if f := a.Failure; f != nil {
		line("class", f.Class)
		line("error", f.Message)
		line("hint", f.Hint)
		if f.Retryable {
			line("retry", fmt.Sprintf("after %d ms", f.RetryAfterMs))
		}
	}
	return b.String()
}

func TestDecodeTellsReadErrors(t *testing.T) {
	lost := errors.New("the disk is gone")
	for _, format := range []string{"text", "json", "jsonl"} {
		spec := fmt.Sprintf(`{"bin":"acme","argv":[],"output":{"format":%q,"text":"event.text"}}`, format)
		if format == "text" {
			spec = `{"bin":"acme","argv":[]}`
		}
		call, _ := compiled(t, []byte(spec)).Bind(json.RawMessage(`{"prompt":"hi"}`), nil, langtest.IDs())
		stdout := io.MultiReader(strings.NewReader("{\"text\":\"a\"}\n"), iotest.ErrReader(lost))
		if _, err := call.Decode(extract.Run{Stdout: stdout}); !errors.Is(err, lost) {
			t.Errorf("%s: got %v, want the error of the reader", format, err)
		}
	}
}
