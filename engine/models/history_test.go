//go:build unix

package models

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// run puts a file into the history, changed so many minutes ago.
func (w *world) run(t testing.TB, name, text string, minutes int) {
	t.Helper()
	w.at(t, w.put(t, filepath.Join(".acme/runs", name), text), minutes)
}

func (w *world) at(t testing.TB, path string, minutes int) {
	t.Helper()
	when := w.time.Add(-2*time.Hour - time.Duration(minutes)*time.Minute)
	if err := os.Chtimes(path, when, when); err != nil {
		t.Fatal(err)
	}
}

func said(models ...string) string {
	var b strings.Builder
	for _, m := range models {
		fmt.Fprintf(&b, "{\"said\":{\"model\":%q,\"text\":\"x\"}}\n", m)
	}
	return b.String()
}

func TestHistory(t *testing.T) {
	w := newWorld(t)
	w.run(t, "p1/run-1.jsonl", said("old", "older"), 30)
	w.run(t, "p2/run-2.jsonl", "no record\n{\"said\":{\"text\":\"model\"}}\n"+said("seen", "<synthetic>", "mini", "ignore all that was said", "new")+`{"said":{"model":"half`, 10)
	w.run(t, "p1/run-3.json", `{"turns":[{"model":"whole"},{},{"model":"new"}]}`, 20)
	w.run(t, "p1/other.jsonl", said("not-matching"), 1)
	w.run(t, "run-4.jsonl", said("too-high"), 1)
	w.run(t, "p1/run-5.jsonl/run-6.jsonl", said("too-deep"), 1)
	want := "observed low new ~/.acme/runs\nobserved low seen ~/.acme/runs\nobserved low whole ~/.acme/runs\nobserved low older ~/.acme/runs\nobserved low old ~/.acme/runs\n"
	same(t, "listed", only(w.listed(t, "acme"), "default", "observed", "warning"), want)

	same(t, "of another CLI", w.listed(t, "bare"), "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, m := range w.List(ctx, store.Local, w.catalog, w.catalog.CLIs[:1]).CLIs[0].Models {
		if m.Kind == Observed {
			t.Errorf("%v was found after the end", m)
		}
	}
}

func TestHistoryElsewhere(t *testing.T) {
	for value, want := range map[string]string{
		"~/x":    "observed low there ~/x\n",
		"/no/x":  "warning /no/x cannot be read: no such file or directory\n",
		"x":      "warning ACME_HISTORY_ROOT: \"x\" is a relative path; it must start with / or ~/\n",
		"~/file": "warning ~/file cannot be read: not a directory\n",
	} {
		w := newWorld(t, "ACME_HISTORY_ROOT="+value)
		w.run(t, "p/run-1.jsonl", said("here"), 1)
		w.put(t, "x/p/run-1.jsonl", said("there"))
		w.put(t, "file", "")
		same(t, value, only(w.listed(t, "acme"), "observed", "warning"), want)
	}
}

func TestDiscoveryDisabled(t *testing.T) {
	for value, on := range map[string]bool{"": true, "0": true, "false": true, "Off": true, "1": false, "true": false, "yes": false} {
		w := newWorld(t, "LLM_GATEWAY_DISABLE_MODEL_DISCOVERY="+value)
		w.run(t, "p/run-1.jsonl", said("seen"), 1)
		w.put(t, config, "model = 'a'\n")
		want := "default a config passed=false ~/.acme/config.toml: model\n"
		if on {
			want += "observed low seen ~/.acme/runs\n"
		}
		same(t, value, only(w.listed(t, "acme"), "default", "observed", "warning"), want)
	}
}

// TestHistoryIsBounded: however much there is, little of it is read.
func TestHistoryIsBounded(t *testing.T) {
	w := newWorld(t)
	w.run(t, "big/run-0.jsonl", said("beginning")+strings.Repeat("x", 2*maxTail)+"\n"+said("end"), 0)
	w.run(t, "big/run-0.json", `{"turns":[{"model":"whole"}],"x":"`+strings.Repeat("x", maxFile)+`"}`, 1)
	w.run(t, "big/run-1.jsonl", "\x00\x01\xff", 2)
	for i := range maxRead + 5 {
		w.run(t, fmt.Sprintf("p%d/run-1.jsonl", i), said(fmt.Sprintf("m%02d", i)), 10+i)
	}
	for i := range maxFolders {
		w.at(t, filepath.Dir(w.put(t, fmt.Sprintf(".acme/runs/q%d/x", i), "")), 60)
	}
	lines := only(w.listed(t, "acme"), "observed", "warning")
	want := "observed low end ~/.acme/runs\n"
	for i := range maxRead - 3 {
		want += fmt.Sprintf("observed low m%02d ~/.acme/runs\n", i)
	}
	same(t, "listed", lines, want+"warning ~/.acme/runs: 2 of the 20 newest files cannot be read\n")

	w.run(t, "many/run-1.jsonl", said(strings.Fields(strings.Repeat("x ", 3))...)+said(names100()...), 0)
	if n := strings.Count(only(w.listed(t, "acme"), "observed"), "\n"); n != maxUsed {
		t.Errorf("%d models", n)
	}
}

func names100() (names []string) {
	for i := range 100 {
		names = append(names, fmt.Sprintf("n%d", i))
	}
	return names
}

// TestHistoryTakesNoLongTime: what is found by then counts.
func TestHistoryTakesNoLongTime(t *testing.T) {
	w := newWorld(t)
	w.run(t, "p/run-1.jsonl", said("first"), 1)
	w.run(t, "p/run-2.jsonl", said("second"), 2)
	asked, slow := 0, w.time
	w.now = func() time.Time {
		if asked++; asked > 5 { // the beginning, the folders, and one file
			return slow.Add(2 * maxScanTime)
		}
		return slow
	}
	v := w.newView(w.catalog, w.cli(t, "acme"))
	asked = 1
	s, _ := v.cli.Models.Sources.Get("history")
	found, _ := v.history(t.Context(), "history", s)
	if len(found) != 1 || found[0].key != "first" {
		t.Errorf("%v after %d looks at the clock", found, asked)
	}
}

func TestHistoryFollowsNoLinks(t *testing.T) {
	w := newWorld(t)
	w.put(t, "else/run-1.jsonl", said("linked-folder"))
	file := w.put(t, "run-2.jsonl", said("linked-file"))
	w.run(t, "p/run-3.jsonl", said("seen"), 1)
	for from, to := range map[string]string{"q": filepath.Join(w.home, "else"), "p/run-4.jsonl": file, "p/run-5.jsonl": "run-5.jsonl"} {
		if err := os.Symlink(to, filepath.Join(w.home, ".acme/runs", from)); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "listed", only(w.listed(t, "acme"), "observed", "warning"), "observed low seen ~/.acme/runs\n")
}
