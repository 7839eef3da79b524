package job

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// TestFileBesideTheOutput reads what a program wrote into the file that it was told, in every
// way in which a program can be run.
func TestFileBesideTheOutput(t *testing.T) {
	for name, inProcess := range map[string]bool{"supervised": false, "in process": true} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, jsonl+`output: file: {name: "usage.json", env: "ACME_WRITES", format: "json", model: "event.model", usage: input: "event.in"}`)
			if inProcess {
				b.runner.Executor = newInProcess(b.runner)
			}
			out := b.runner.Run(t.Context(), b.request(`write={"model":"written","in":70}`, `out={"result":"x","model":"printed","in":3}`+"\n"))
			row := b.row(out)
			again := b.runner.Completion(call.Job{Row: row, State: call.Completed})
			for _, a := range []call.Completion{out, again} {
				if a.Answer.Text != "x" || a.Answer.Model != "written" || a.Answer.Usage["inputTokens"] != 70 || len(a.Warnings) > 0 {
					t.Errorf("%+v, warnings %q", a.Answer, a.Warnings)
				}
			}
			if row.Model != "written" || *row.Outcome.InputTokens != 70 {
				t.Errorf("row: %q, %d", row.Model, *row.Outcome.InputTokens)
			}
			if left := b.spooled(); len(left) > 0 {
				t.Errorf("left in the spool: %q", left)
			}

			out = b.runner.Run(t.Context(), b.request(`out={"result":"x","in":3}`+"\n"))
			if want := "the model or the tokens may be missing: the file that acme writes is not there"; out.Answer.Text != "x" || len(out.Warnings) != 1 || out.Warnings[0] != want {
				t.Errorf("without its file: %q, %q", out.Answer.Text, out.Warnings)
			}
		})
	}
}

// TestFileOfTheConversation has a job decoded by another gateway than the one that started it.
func TestFileOfTheConversation(t *testing.T) {
	const spec = jsonl + `output: file: {path: "~/acme/{session}.jsonl", format: "jsonl", model: "event.model", usage: input: "event.in"}
	env: set: ACME_WRITES: "HOME/acme/conv-1.jsonl"`
	b := newFixture(t, spec)
	if err := os.Mkdir(filepath.Join(b.home, "acme"), 0o700); err != nil {
		t.Fatal(err)
	}
	await, release := b.gate()
	job, failure := b.runner.send(t.Context(), b.request(await, `write={"model":"written","in":70}`, `out={"result":"x","id":"conv-1"}`+"\n"))
	if failure != nil {
		t.Fatal(failure)
	}
	b.runner.Close()
	other := newFixtureIn(t, b.home, spec)
	release()
	ended, err := other.runner.Wait(t.Context(), call.Job{Row: job.Row, State: call.Running, Durable: true}, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := other.runner.Completion(ended)
	if a := out.Answer; a.Text != "x" || a.Model != "written" || a.Usage["inputTokens"] != 70 || len(out.Warnings) > 0 {
		t.Errorf("%+v, warnings %q", a, out.Warnings)
	}
	// What was in the file is on record when it is gone.
	if err := os.RemoveAll(filepath.Join(b.home, "acme")); err != nil {
		t.Fatal(err)
	}
	row, err := other.store.Job(t.Context(), store.Local, job.Row.ID)
	if err != nil {
		t.Fatal(err)
	}
	out = other.runner.Completion(call.Job{Row: row, State: call.Completed})
	if a := out.Answer; a.Model != "written" || a.Usage["inputTokens"] != 70 || len(out.Warnings) > 0 {
		t.Errorf("later: %+v, warnings %q", a, out.Warnings)
	}
}
