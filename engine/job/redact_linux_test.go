package job

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/job/jobdir"
	"github.com/llm-cli-gateway/gateway/engine/job/redaction"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// TestRecordOfPromptsAndAnswers looks at what the settings leave of them in the row, and in the
// copy of the row beside the output.
func TestRecordOfPromptsAndAnswers(t *testing.T) {
	const key = "sk" + "-ant-api03-abcdefghijkl"
	for setting, want := range map[string]string{"": "use [redacted]", lang.RedactMask: "use [redacted]", lang.RedactOff: "use " + key, lang.RedactDrop: ""} {
		t.Run(setting, func(t *testing.T) {
			b := newFixture(t, "argv: [\"{do}\", \"{prompt}\"]\nprompt: via: \"arg\"")
			b.catalog.Settings.Redact = lang.RedactSpec{Prompts: setting, Answers: setting}
			bound := b.bind("use "+key, map[string]any{"do": []string{"out=use " + key}})
			job, failure := b.runner.send(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: bound, Dir: b.dir})
			if failure != nil {
				t.Fatal(failure)
			}
			end := b.await(job.Row.ID)
			if end.Row.Prompt != want || end.Row.Outcome.Response != want {
				t.Errorf("prompt %q, answer %q, want %q", end.Row.Prompt, end.Row.Outcome.Response, want)
			}
			if text := fmt.Sprint(end.Row.Argv, string(end.Row.Args)); strings.Contains(text, key) {
				t.Errorf("the words: %s", text)
			}
			if word := end.Row.Argv[len(end.Row.Argv)-1]; setting == lang.RedactDrop && word != redaction.PromptMark {
				t.Errorf("the prompt is %q among the words", word)
			}
			copied, err := os.ReadFile(filepath.Join(b.runner.folder(), job.Row.ID, jobdir.File))
			if err != nil || !strings.Contains(string(copied), `"Prompt":"`+want+`"`) {
				t.Errorf("%s %v", copied, err)
			}
		})
	}
}

// TestDroppedAnswers are had as long as the files of their jobs are there, from any gateway; then
// the result says why there is none.
func TestDroppedAnswers(t *testing.T) {
	b := joining(t, "")
	b.catalog.Settings.Redact.Answers = lang.RedactDrop
	count, runs := b.counting()
	job := b.submit(count, "out=fine")
	end := b.await(job.Row.ID)
	if end.Row.Outcome.Response != "" || end.Row.Outcome.Ending != store.EndOK {
		t.Fatalf("%+v", end.Row.Outcome)
	}
	other := b.other()
	res, err := other.runner.Result(t.Context(), store.Local, job.Row.ID, 0, 100)
	if err != nil || res.Response.Text != "fine" || len(res.Outcome.Warnings) > 0 {
		t.Errorf("%+v %v", res, err)
	}
	if again := other.submit(count, "out=fine"); !again.Joined || runs() != 1 {
		t.Errorf("%+v ran %d times", again, runs())
	}
	if err := os.RemoveAll(filepath.Join(b.runner.folder(), job.Row.ID)); err != nil {
		t.Fatal(err)
	}
	const why = "the answer was not recorded, as gateway.redact.answers has it, and the files of the call are gone"
	res, err = other.runner.Result(t.Context(), store.Local, job.Row.ID, 0, 100)
	if err != nil || res.Response.Text != "" || len(res.Outcome.Warnings) != 1 || res.Outcome.Warnings[0] != why {
		t.Errorf("%+v %v", res.Outcome, err)
	}
	var stdout, stderr strings.Builder
	if _, err := other.runner.Follow(t.Context(), store.Local, job.Row.ID, &stdout, &stderr, func(call.Job) {}); err != nil || stdout.String() != "" || stderr.String() != why+"\n" {
		t.Errorf("%q %q %v", stdout.String(), stderr.String(), err)
	}
	if again := other.submit(count, "out=fine"); again.Joined {
		t.Errorf("an answer is shared that nobody has: %+v", again)
	}
}

// TestEndIsTold once, by the gateway that records it.
func TestEndIsTold(t *testing.T) {
	b := newFixture(t, "")
	told := make(chan store.Job, 4)
	b.runner.Ended = func(row store.Job) { told <- row }
	other := b.other()
	other.runner.Ended = b.runner.Ended
	job := b.submit("out=fine")
	other.await(job.Row.ID)
	b.await(job.Row.ID)
	if row := <-told; row.ID != job.Row.ID || row.Outcome.Ending != store.EndOK || row.Outcome.Response != "fine" {
		t.Errorf("%+v", row)
	}
	b.runner.Close()
	other.runner.Close()
	if len(told) > 0 {
		t.Errorf("told again: %+v", <-told)
	}
}
