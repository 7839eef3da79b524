package extract

import (
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

const watchRules = `,"watch":[
	{"line":"^Enter the code","class":"auth","hint":"log in first"},
	{"when":"event.type == 'ask'","take":"event.question","class":"question"},
	{"line":"^retrying","class":"slow","end":false}]`

func TestWatch(t *testing.T) {
	const question = `{"type":"ask","question":"Which one?"}` + "\n"
	for name, c := range map[string]struct {
		stdout, stderr string
		ends           bool
		class, message string // of a run that failed, or was ended for it
	}{
		"nothing":                  {stdout: "{\"type\":\"text\",\"text\":\"Enter the code\"}\n", class: lang.ClassIncomplete, message: "Acme ended without the record that completes its output"},
		"a line":                   {stderr: "see http://x\nEnter the code: ****\n", ends: true, class: "auth", message: "Acme was ended, because it would give no answer: Enter the code: ****"},
		"a line without an end":    {stdout: "\x1b[1mEnter the code: ", ends: true, class: "auth", message: "Acme was ended, because it would give no answer: Enter the code:"},
		"a record":                 {stdout: question, ends: true, class: "question", message: "Acme was ended, because it would give no answer: Which one?"},
		"the first counts":         {stdout: question + "Enter the code\n", ends: true, class: "question", message: "Acme was ended, because it would give no answer: Which one?"},
		"only a class":             {stderr: "retrying 3\n", class: "slow", message: "retrying 3"},
		"after the end":            {stdout: answered + question, class: ""},
		"an answer that quotes it": {stdout: answered, class: ""},
	} {
		out := output(t, watchRules)
		w := out.Watch()
		half := len(c.stdout) / 2
		w.Write(Stdout, []byte(c.stdout[:half]))
		w.Write(Stdout, []byte(c.stdout[half:]))
		w.Write(Stderr, []byte(c.stderr))
		if got := w.Hopeless(); got != c.ends {
			t.Errorf("%s: ends %v", name, got)
		}
		run := Run{Stderr: c.stderr}
		if c.ends {
			run = Run{Stderr: c.stderr, Exit: -1, Signal: "SIGTERM", Ended: EndedByWatch}
		}
		a := decode(t, out, run, c.stdout, "")
		f := a.Failure
		if f == nil {
			f = &lang.Failure{}
		}
		if f.Class != c.class || f.Message != c.message || f.Class == "auth" && (f.Hint != "log in first" || f.Retryable) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// TestWatchNeedsARule: most runs need no watch.
func TestWatchNeedsARule(t *testing.T) {
	if output(t, "").Watch() != nil || output(t, `,"watch":[{"line":"x","class":"y","end":false}]`).Watch() != nil {
		t.Error("a run is watched for nothing")
	}
}

// TestWatchedByAnotherSpec: a run that was ended by a rule that is gone has failed all the same.
func TestWatchedByAnotherSpec(t *testing.T) {
	a := decode(t, output(t, ""), Run{Exit: -1, Ended: EndedByWatch}, "Enter the code", "")
	if a.Failure == nil || a.Failure.Class != lang.ClassError || !strings.Contains(a.Failure.Message, "Enter the code") {
		t.Errorf("%+v", a.Failure)
	}
}
