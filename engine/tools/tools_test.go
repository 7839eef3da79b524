//go:build unix

package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/catalog/listing"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/check"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// Three CLIs that every machine has: one says its prompt back, one prints records,
// one tells where it is.
const basics = `
cli: acme: {bin: "cat", title: "Acme", argv: [], prompt: {expands: ["@path"], max: 200000}
	risk: [{id: "long", when: "len(prompt) > 3", score: 5, reason: "it is long"}]}
cli: zeta: {bin: "printf", argv: {new: ["%s\n", "{rec}"], resume: ["%s\n#%s", "{rec}", "{session}"]}, params: rec: {doc: "Record", maxLength: 100000}
	output: {format: "jsonl", text: "event.result", model: "event.model", error: "event.error", cost: "event.cost", costScope: "session"
		usage: {scope: "session", input: "event.in", output: "event.out"}}
	failure: [{class: "quota", when: "error contains 'quota'", hint: "wait <a> & \"b\"", retry: {afterMs: "event.wait"}}]
	session: {id: "^[a-z0-9]+$", resume: ["{id}"], capture: "event.id"}}
cli: mira: {bin: "pwd", argv: ["-P"]}
cli: gone: {bin: "no-such-program", title: "Gone", install: "get gone", argv: ["{params}"]
	params: {words: {doc: "Words", type: "list", flag: "--words"}, n: {doc: "N", type: "int", flag: "-n"}, f: {doc: "F", type: "number", flag: "-f"}
		b: {doc: "B", type: "bool", flag: "-b"}, s: {doc: "S", flag: "--s"}, key: {doc: "Key", env: "GONE_KEY"}}
	env: set: GONE_SET: "1"}
gateway: {env: pass: ["PATH", "HOME", "ACME_*"], timeouts: {idleMs: 4000, graceMs: 10}, injected: ["wait_for_previous"]}
client: both: {title: "Both", add: "both", match: ["^both-"], result: chars: 4000}
client: text: {title: "Text", add: "text", match: ["^text-"], result: {chars: 4000, shows: "text"}}
client: structure: {title: "Structure", add: "structure", match: ["^structure-"], result: {chars: 4000, shows: "structure"}}
`

// noRecord is a record that cannot be opened.
func noRecord() (job.Store, error) { return nil, errors.New("the disk is gone") }

// recordOf opens the record of jobs of the tools as another of its users does.
func recordOf[S any](tools *Tools) func() (S, error) {
	return func() (s S, err error) {
		records, err := tools.Runner.Record()
		if records != nil {
			s = records.(S)
		}
		return s, err
	}
}

func newTools(t testing.TB, environ ...string) *Tools {
	t.Helper()
	res := load.Load([]load.Layer{{Name: "test", Files: []specfiles.File{{Name: "a.cue", Data: []byte(basics)}}}}, load.Options{})
	if res.Catalog == nil {
		t.Fatal(res.Diagnostics)
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	memory, err := sqlite.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	runner := &job.Runner{
		Host:   host.New(append([]string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}, environ...), nil, ""),
		Record: func() (job.Store, error) { return memory, nil }, Volatile: true, Spool: filepath.Join(home, "run"), Pools: filepath.Join(home, "pools"),
		Current: func() *catalog.Catalog { return res.Catalog },
	}
	t.Cleanup(func() { runner.Close(); memory.Close() })
	return wire(&Tools{Catalog: runner.Current, Runner: runner, Versions: &installed.Prober{Host: runner.Host}})
}

// wire gives tools a handler of calls with what else they have.
func wire(t *Tools) *Tools {
	t.Calls = &call.Service{Catalog: t.Catalog, Versions: t.Versions, Models: t.Models, Jobs: t.Runner, Journal: t.Journal}
	if t.Sessions != nil {
		t.Calls.Sessions = t.Sessions
	}
	t.Calls.Decisions = func() (call.Decisions, error) {
		records, err := t.decisions()
		if err != nil || records == nil {
			return nil, err
		}
		return records.(call.Decisions), nil
	}
	t.Handler = call.New(t.Calls)
	if t.Runner != nil {
		t.Runner.Decisions = t.Calls
	}
	return t
}

func (t *Tools) call(tb testing.TB, name, args string) Result {
	tb.Helper()
	return t.Call(tb.Context(), call.Request{Tool: name, Args: json.RawMessage(args)})
}

// whole is the structured result as a client gets it: with the answer as its last
// member. It must be what the output schema promises.
func whole(t *testing.T, r Result) map[string]any {
	t.Helper()
	return conforms(t, listing.OutputSchema, r)
}

// keys are the members of an object in the order in which they are written.
func keys(t *testing.T, object json.RawMessage) (names []string) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(object))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name.(string))
		var skipped json.RawMessage
		if err := dec.Decode(&skipped); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

func TestSuccess(t *testing.T) {
	record := `{"result":"a <b> & \"c\"\n\u2028","model":"zeta 2[1m]","id":"conv1","in":3,"out":4,"cost":0.25}`
	args, _ := json.Marshal(map[string]any{"prompt": "x", "rec": record, "correlationId": "mine", "sessionId": "conv1"})
	r := newTools(t).call(t, "zeta_request", string(args))
	if r.IsError || r.NeedInput != nil || r.Response != "a <b> & \"c\"\n\u2028" {
		t.Fatalf("%+v", r)
	}
	got := whole(t, r)
	want := map[string]any{"status": "completed", "jobId": got["jobId"], "cli": "zeta", "model": "zeta 2[1m]", "sessionId": "conv1", "correlationId": "mine",
		"exitCode": 0.0, "costUsd": 0.25, "costScope": "session", "usageScope": "session", "response": r.Response, "durationMs": got["durationMs"],
		"usage": map[string]any{"inputTokens": 3.0, "outputTokens": 4.0}, "cwd": got["cwd"], "access": map[string]any{"level": "full", "words": "own", "from": "default"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if order := keys(t, r.Structured); !slices.Equal(order, []string{"status", "jobId", "cli", "model", "sessionId", "correlationId", "exitCode", "durationMs", "usage", "usageScope", "costUsd", "costScope", "access", "cwd"}) || !filepath.IsAbs(fmt.Sprint(got["cwd"])) {
		t.Errorf("order: %q", order)
	}
	line := fmt.Sprintf(`[status=completed jobId=%v cli=zeta model="zeta 2[1m]" sessionId=conv1 correlationId=mine exitCode=0 durationMs=%v inputTokens=3 outputTokens=4 usageScope=session costUsd=0.25 costScope=session access="full, program own" cwd=%v]`, got["jobId"], got["durationMs"], got["cwd"])
	if !slices.Equal(r.Text, []string{r.Response, line}) {
		t.Errorf("text: %q\nwant line %s", r.Text, line)
	}
}

func TestFailure(t *testing.T) {
	args, _ := json.Marshal(map[string]any{"prompt": "x", "rec": `{"result":"half","error":"the quota <is> used up","wait":1500}`})
	r := newTools(t).call(t, "zeta_request", string(args))
	got := whole(t, r)
	if !r.IsError || got["status"] != "failed" || got["response"] != "half" {
		t.Errorf("%v", got)
	}
	want := map[string]any{"class": "quota", "message": "the quota <is> used up", "hint": `wait <a> & "b"`, "retryable": true, "retryAfterMs": 1500.0}
	if fmt.Sprint(got["error"]) != fmt.Sprint(want) {
		t.Errorf("error: %v", got["error"])
	}
	if bytes.Contains(r.Structured, []byte(`\u003c`)) {
		t.Errorf("escaped as for HTML: %s", r.Structured)
	}
	if len(r.Text) != 3 || r.Text[0] != "zeta failed (quota): the quota <is> used up\nHint: wait <a> & \"b\"\nThe same call may succeed later, after 1500 ms." ||
		r.Text[1] != "half" || !strings.HasPrefix(r.Text[2], fmt.Sprintf("[status=failed jobId=%v cli=zeta ", got["jobId"])) || !strings.Contains(r.Text[2], " errorClass=quota]\nWarning: it was not tried again by itself, because ") {
		t.Errorf("text: %q", r.Text)
	}
}

// TestAnswersAreBounded: a result holds so much of a long answer as was asked for, in both
// of its forms, and says where the rest is; read on from there, the whole comes together.
func TestAnswersAreBounded(t *testing.T) {
	tools := newTools(t)
	long := strings.Repeat("ä", inlineChars) + "the end"
	for more, most := range map[string]int{"": inlineChars, `,"maxChars":7`: 7, `,"maxChars":100006`: inlineChars + 6} {
		r := tools.call(t, "acme_request", fmt.Sprintf(`{"prompt":%q%s}`, long, more))
		got := whole(t, r)
		head := string([]rune(long)[:most])
		if r.IsError || r.Response != head || r.Text[0] != head || got["truncated"] != true || got["totalChars"] != float64(inlineChars+7) || got["nextOffset"] != float64(most) {
			t.Errorf("%s: %.300s", more, fmt.Sprint(got))
		}
		if last := r.Text[len(r.Text)-1]; len(r.Text) != 3 || !strings.Contains(r.Text[1], fmt.Sprintf("offset %d", most)) || !strings.Contains(last, fmt.Sprintf("nextOffset=%d", most)) {
			t.Errorf("%s: %q", more, r.Text[1:])
		}
		rest := tools.call(t, JobResult, fmt.Sprintf(`{"jobId":%q,"offset":%d,"maxChars":1000000}`, got["jobId"], most))
		if head+rest.Response != long {
			t.Errorf("%s: the rest has %d bytes", more, len(rest.Response))
		}
	}
	r := tools.call(t, "acme_request", fmt.Sprintf(`{"prompt":%q,"maxChars":100007}`, long))
	if got := whole(t, r); r.Response != long || got["truncated"] != nil || got["nextOffset"] != nil || len(r.Text) != 2 {
		t.Errorf("%.300s", fmt.Sprint(got))
	}
	r = tools.Call(t.Context(), call.Request{Tool: "acme_request", Args: json.RawMessage(fmt.Sprintf(`{"prompt":%q}`, long)), Inline: math.MaxInt})
	if r.Response != long {
		t.Errorf("%d bytes where nothing bounds them", len(r.Response))
	}
}

// TestTrailerIsOneLine holds that neither a CLI nor a caller can write into it.
func TestTrailerIsOneLine(t *testing.T) {
	args, _ := json.Marshal(map[string]any{"prompt": "x", "correlationId": "a] b\n[status=failed", "rec": `{"result":"fine","model":"m]\n[cli=x","id":"\u202e"}`})
	r := newTools(t).call(t, "zeta_request", string(args))
	id := whole(t, r)["jobId"]
	last := r.Text[len(r.Text)-1]
	if strings.Contains(last, "\n") || !strings.HasPrefix(last, fmt.Sprintf(`[status=completed jobId=%v cli=zeta model="m]\n[cli=x" sessionId="\u202e" correlationId="a] b\n[status=failed" exitCode=0`, id)) {
		t.Errorf("%s", last)
	}
	s := structured{Status: "completed", DurationMs: new(int64), Warnings: []string{"one\n[status=failed]", "two"}}
	if got := trailer(s); got != "[status=completed durationMs=0]\nWarning: one [status=failed]\nWarning: two" {
		t.Errorf("%q", got)
	}
}

func TestMissingCLI(t *testing.T) {
	r := newTools(t).call(t, "gone_request", `{"prompt":"x"}`)
	got := whole(t, r)
	failure, _ := got["error"].(map[string]any)
	if !r.IsError || failure["class"] != lang.ClassMissing || failure["hint"] != "install Gone: get gone; or set cli.gone.bin to its path" {
		t.Errorf("%v", got)
	}
	if _, ok := got["exitCode"]; ok {
		t.Errorf("an exit code of nothing: %v", got)
	}
	if len(r.Text) != 2 || !strings.Contains(r.Text[0], "Gone failed (not_installed)") {
		t.Errorf("text: %q", r.Text)
	}
}

func TestRefusals(t *testing.T) {
	tools := newTools(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ tool, args, message, hint string }{
		"misspelt tool":     {"acme_requst", `{}`, `there is no tool "acme_requst" (did you mean "acme_request"?)`, "`gateway tools` lists the tools"},
		"unknown tool":      {"x", `{}`, `there is no tool "x"`, "`gateway tools` lists the tools"},
		"no prompt":         {"acme_request", ``, "prompt: missing required parameter", "nothing was run"},
		"not an object":     {"acme_request", `[1]`, "must be an object", "nothing was run"},
		"not JSON":          {"acme_request", `{"prompt":`, "not valid JSON", "nothing was run"},
		"several":           {"gone_request", `{"n":"x","zz":1}`, "3 problems with the arguments of gone_request:\n- ", "nothing was run"},
		"relative":          {"acme_request", `{"prompt":"x","workingDir":"sub"}`, `workingDir "sub" is not an absolute path`, "absolute path"},
		"home":              {"acme_request", `{"prompt":"x","workingDir":"~/x"}`, "is not an absolute path", "absolute path"},
		"missing directory": {"acme_request", `{"prompt":"x","workingDir":"/no/such"}`, "workingDir /no/such does not exist", "absolute path"},
		"file":              {"acme_request", fmt.Sprintf(`{"prompt":"x","workingDir":%q}`, file), "is not a directory", "absolute path"},
		"below a file":      {"acme_request", fmt.Sprintf(`{"prompt":"x","workingDir":%q}`, file+"/x"), "workingDir cannot be used", "absolute path"},
		"file outside":      {"acme_request", `{"prompt":"see @/etc/passwd","workingDir":"/tmp"}`, "@/etc/passwd", "below the working directory"},
	} {
		t.Run(name, func(t *testing.T) {
			r := tools.call(t, c.tool, c.args)
			got := whole(t, r)
			failure, _ := got["error"].(map[string]any)
			if !r.IsError || got["status"] != "failed" || failure["class"] != lang.ClassUsage || got["response"] != "" {
				t.Fatalf("%v", got)
			}
			text := strings.Join(r.Text, "\n")
			if last := r.Text[len(r.Text)-1]; !strings.HasPrefix(last, "[status=failed ") || !strings.HasSuffix(last, "errorClass=invalid_call]") {
				t.Errorf("the last line is %q", last)
			}
			for _, want := range []string{c.message, c.hint} {
				if !strings.Contains(text, want) {
					t.Errorf("%q lacks %q", text, want)
				}
			}
			if !strings.Contains(fmt.Sprint(failure["message"]), c.message) || !strings.Contains(fmt.Sprint(failure["hint"]), c.hint) {
				t.Errorf("structured: %v", failure)
			}
		})
	}
	if r := tools.call(t, "acme_request", `{"prompt":"x","correlationId":"mine","workingDir":"sub"}`); whole(t, r)["correlationId"] != "mine" {
		t.Errorf("%s", r.Structured)
	}
	if r := tools.call(t, "acme_request", `{"prompt":"x","wait_for_previous":true}`); r.IsError {
		t.Errorf("injected argument: %q", r.Text)
	}
}

func TestPlace(t *testing.T) {
	tools := newTools(t)
	real := func(dir string) string {
		path, err := filepath.EvalSymlinks(dir)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	own, one, two := real(t.TempDir()), real(t.TempDir()), real(t.TempDir())
	answers := func(dirs ...string) func(context.Context) (call.Roots, error) {
		return func(context.Context) (call.Roots, error) { return call.Roots{Dirs: dirs}, nil }
	}
	strange := func(dirs ...string) func(context.Context) (call.Roots, error) {
		return func(context.Context) (call.Roots, error) {
			return call.Roots{Dirs: dirs, Strange: []string{`"x:1" is odd`, `"x:2" is too`}}, nil
		}
	}
	for name, c := range map[string]struct {
		own   string
		dir   string
		roots func(context.Context) (call.Roots, error)
		next  bool
		want  string // directory, or a part of the complaint
		warns bool   // of roots that are left out
	}{
		"parameter":                {own: own, dir: one, roots: answers(two), want: one},
		"parameter asks nobody":    {own: own, dir: one, roots: answers(two), next: true, want: one},
		"only root":                {own: own, roots: answers(one), want: one},
		"one root, told twice":     {own: own, roots: answers(one, one), want: one},
		"no roots":                 {own: own, roots: answers(), want: own},
		"client without roots":     {own: own, want: own},
		"several roots":            {own: own, roots: answers(two, one), want: "the client has several root directories (" + one + ", " + two + ")"},
		"root that is strange":     {own: own, roots: strange(), want: "the client's root is not understood: \"x:1\" is odd, \"x:2\" is too"},
		"strange root, named dir":  {own: own, dir: one, roots: strange(), want: one},
		"strange root beside one":  {own: own, roots: strange(two), want: two, warns: true},
		"strange root beside two":  {own: own, roots: strange(one, two), want: "the client has several root directories"},
		"root that is gone":        {own: own, roots: answers("/no/such"), want: "the client's root /no/such does not exist"},
		"client that does not say": {own: own, roots: func(context.Context) (call.Roots, error) { return call.Roots{}, errors.New("mute") }, want: "mute"},
		"nowhere":                  {own: "/", want: "there is no working directory: the client has no root, and the gateway was started in /"},
		"nowhere, but a root":      {own: "/", roots: answers(one), want: one},
		"the root itself, named":   {own: own, dir: "/", want: "/"},
		"another round":            {own: own, roots: answers(one), next: true, want: "again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(c.own)
			args := map[string]any{"prompt": "x"}
			if c.dir != "" {
				args["workingDir"] = c.dir
			}
			text, _ := json.Marshal(args)
			r := tools.Call(t.Context(), call.Request{Tool: "mira_request", Args: text, Interaction: call.Interaction{ListRoots: c.roots, RootsNextRound: c.next}})
			switch {
			case r.NeedInput != nil:
				if c.want != "again" {
					t.Error("the roots were asked for")
				}
			case r.IsError:
				if !strings.Contains(r.Text[0], c.want) || !strings.Contains(r.Text[0], "pass workingDir") {
					t.Errorf("%q lacks %q", r.Text[0], c.want)
				}
			case r.Response != c.want:
				t.Errorf("ran in %q, want %q", r.Response, c.want)
			}
			if warns := strings.Contains(fmt.Sprint(r.Text), `is left out, because it is not understood: "x:1" is odd, "x:2" is too`); warns != c.warns {
				t.Errorf("%q", r.Text)
			}
		})
	}
}

// TestRootsCountForMentions: a file in a root of the client's may be mentioned, also
// when the call runs elsewhere.
func TestRootsCountForMentions(t *testing.T) {
	tools, dir, root := newTools(t), t.TempDir(), t.TempDir()
	file := filepath.Join(root, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	args, _ := json.Marshal(map[string]any{"prompt": "see @" + file, "workingDir": dir})
	req := call.Request{Tool: "acme_request", Args: args}
	if r := tools.Call(t.Context(), req); !r.IsError {
		t.Error("without roots the file may be read")
	}
	req.ListRoots, req.RootsNextRound = func(context.Context) (call.Roots, error) { return call.Roots{Dirs: []string{t.TempDir(), root}}, nil }, true
	if r := tools.Call(t.Context(), req); r.NeedInput == nil {
		t.Errorf("the roots were not asked for: %q", r.Text)
	}
	req.RootsNextRound = false
	if r := tools.Call(t.Context(), req); r.IsError || r.Response != "see @"+file {
		t.Errorf("%q", r.Text)
	}
	req.ListRoots = func(context.Context) (call.Roots, error) { return call.Roots{}, errors.New("mute") }
	if r := tools.Call(t.Context(), req); !r.IsError || !strings.Contains(r.Text[0], "outside the working directory") {
		t.Errorf("%q", r.Text)
	}
}

func TestKVArgs(t *testing.T) {
	tools := newTools(t)
	for _, c := range []struct {
		words []string
		want  string
	}{
		{nil, `{}`},
		{[]string{"prompt=a=b <c>"}, `{"prompt":"a=b <c>"}`},
		{[]string{"prompt="}, `{"prompt":""}`},
		{[]string{"b=true"}, `{"b":true}`},
		{[]string{"b=0"}, `{"b":false}`},
		{[]string{"b=maybe"}, `{"b":"maybe"}`},
		{[]string{"n=12", "f=-1.5e3"}, `{"f":-1.5e3,"n":12}`},
		{[]string{"n=12345678901234567890"}, `{"n":12345678901234567890}`},
		{[]string{`s=true`}, `{"s":"true"}`},
		{[]string{"words=a", "words=b,c"}, `{"words":["a","b,c"]}`},
		{[]string{`words=["a","b"]`, "words=c"}, `{"words":["a","b","c"]}`},
		{[]string{"words=[a]"}, `{"words":["[a]"]}`},
		{[]string{"words="}, `{"words":[""]}`},
		{[]string{"zz=1", "=x"}, `{"":"x","zz":"1"}`},
		{[]string{"timeoutMs=5000"}, `{"timeoutMs":5000}`},
	} {
		got, err := tools.KVArgs("gone_request", c.words)
		if err != nil || string(got) != c.want {
			t.Errorf("%q: got %s (%v), want %s", c.words, got, err, c.want)
		}
	}
	// What is no number is passed on as text, whatever else it may be in JSON.
	for _, text := range []string{"", "x", "true", "null", "[1]", "{}", `"1"`, " 1", "1 ", "0x1", "01", "1_0", "NaN", "Infinity", "-", "1e"} {
		got, err := tools.KVArgs("gone_request", []string{"n=" + text})
		if want := string(encode(map[string]any{"n": text})); err != nil || string(got) != want && string(got) != `{"n":1}` {
			t.Errorf("n=%q: got %s (%v), want %s", text, got, err, want)
		}
	}
	for want, words := range map[string][]string{
		`"x" is not key=value`: {"x"}, "prompt is given twice": {"prompt=a", "prompt=b"},
	} {
		if _, err := tools.KVArgs("gone_request", words); err == nil || err.Error() != want {
			t.Errorf("%q: %v", words, err)
		}
	}
	if _, err := tools.KVArgs("gone", nil); err == nil || !strings.Contains(err.Error(), "there is no tool") {
		t.Errorf("unknown tool: %v", err)
	}
}

func FuzzKVArgs(f *testing.F) {
	for _, seed := range []string{"n=1", "f=true", "words=[1,{}]", "b=", "=", "n=\"", "prompt=\xff", "n=1e999"} {
		f.Add(seed)
	}
	tools := newTools(f)
	f.Fuzz(func(t *testing.T, word string) {
		if args, err := tools.KVArgs("gone_request", []string{word}); err == nil && !json.Valid(args) {
			t.Errorf("%q gives %s", word, args)
		}
	})
}

func TestExplain(t *testing.T) {
	tools := newTools(t, "ACME_KEY=s3cret", "OTHER=1")
	dir := t.TempDir()
	args, _ := json.Marshal(map[string]any{"prompt": "hello", "workingDir": dir})
	e, err := tools.Explain(t.Context(), "acme_request", args)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte("s3cret")) {
		t.Errorf("a value of the environment: %s", text)
	}
	if got := keys(t, text); !slices.Equal(got, []string{"tool", "bin", "argv", "stdin", "env", "cwd", "timeouts", "mode", "access", "trusted", "risk", "approval", "policies", "steps"}) {
		t.Errorf("members: %q", got)
	}
	if !filepath.IsAbs(e.Bin) || filepath.Base(e.Bin) != "cat" || *e.Stdin != "hello" || e.Dir != dir || e.Mode != lang.New || e.Risks[0].ID != "long" ||
		e.Timeouts != (Timeouts{IdleMs: 4000, GraceMs: 10}) {
		t.Errorf("%s", text)
	}
	if fmt.Sprint(e.Env) != "map[ACME_KEY:passed on HOME:passed on PATH:passed on PWD:the working directory]" {
		t.Errorf("environment: %v", e.Env)
	}

	e, err = tools.Explain(t.Context(), "gone_request", json.RawMessage(`{"prompt":"x","words":["a","b"],"key":"s3cret","timeoutMs":1000}`))
	if err != nil || e.Bin != "no-such-program" || !strings.Contains(e.Missing, "looked in") || !slices.Equal(e.Argv, []string{"--words=a,b"}) || e.Timeouts.WallMs != 1000 {
		t.Errorf("%+v, %v", e, err)
	}
	if e.Env["GONE_KEY"] != "set by the spec" || e.Env["GONE_SET"] != "set by the spec" || strings.Contains(fmt.Sprint(e.Env, e.Steps), "s3cret") {
		t.Errorf("environment: %v, steps %v", e.Env, e.Steps)
	}
	if len(e.Steps) != 2 || e.Steps[0] != (catalog.Step{Word: "--words=a,b", From: "argument words"}) {
		t.Errorf("steps: %v", e.Steps)
	}

	for want, c := range map[string][2]string{
		`there is no tool "x"`:     {"x", `{}`},
		"prompt: missing required": {"acme_request", `{}`},
		"2 problems":               {"acme_request", `{"a":1}`},
		"is not an absolute path":  {"acme_request", `{"prompt":"x","workingDir":"y"}`},
		"which Acme would read":    {"acme_request", `{"prompt":"@/etc/passwd","workingDir":"/tmp"}`},
		"begins with a dash":       {"zeta_request", `{"prompt":"x","rec":"-x"}`},
	} {
		if _, err := tools.Explain(t.Context(), c[0], json.RawMessage(c[1])); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s %s: %v", c[0], c[1], err)
		}
	}
	if _, err := os.Stat(tools.Runner.Spool); !os.IsNotExist(err) {
		t.Errorf("explaining made the spool: %v", err)
	}
	tools.Runner.Host = host.New(nil, nil, "keys.env")
	if _, err := tools.Explain(t.Context(), "acme_request", args); err == nil || !strings.Contains(err.Error(), "relative") {
		t.Errorf("environment file: %v", err)
	}
}

func TestProgressIsToldOnce(t *testing.T) {
	tools, said := newTools(t), []string{}
	call := call.Request{Tool: "acme_request", Args: json.RawMessage(`{"prompt":"x"}`), Interaction: call.Interaction{Progress: func(m string) { said = append(said, m) }}}
	tools.Call(t.Context(), call)
	if !slices.Equal(said, []string{"Acme is working"}) {
		t.Errorf("said: %q", said)
	}
	call.Args = json.RawMessage(`{}`)
	if tools.Call(t.Context(), call); len(said) != 1 {
		t.Errorf("a refused call works: %q", said)
	}
}

func TestList(t *testing.T) {
	var names []string
	for _, tool := range newTools(t).List() {
		names = append(names, tool.Name)
		for _, wrong := range check.Lint(tool) {
			t.Errorf("%s: %s", tool.Name, wrong)
		}
		if len(tool.Input) == 0 || len(tool.Output) == 0 || tool.Description == "" {
			t.Errorf("%+v", tool)
		}
	}
	if !slices.Equal(names, []string{"acme_request", "zeta_request", "mira_request",
		"acme_request_async", "zeta_request_async", "mira_request_async", JobStatus, JobResult, JobCancel, JobList, ApprovalList, GatewayStatus, CLIVersions, CLIUpgrade, ListModels,
		SessionCreate, SessionList, SessionUse, SessionGet, SessionDelete, SessionClear}) {
		t.Errorf("tools: %q", names)
	}
}

// TestOutcomesOfAllKinds shows results that runs seldom give.
func TestOutcomesOfAllKinds(t *testing.T) {
	cli := &catalog.CLI{Name: "acme"}
	big, tiny := int64(math.MaxInt64-1), 1e-9
	for name, out := range map[string]call.Completion{
		"nothing":    {ExitCode: -1},
		"everything": {Answer: extract.Answer{Text: "a", Shown: "{}", Usage: map[string]int64{"inputTokens": big}, CostUSD: &tiny}, ExitCode: 255, Duration: time.Hour},
		"not UTF-8":  {Answer: extract.Answer{Shown: "a\xffb", Model: "\xff", Failure: &lang.Failure{Class: "x", Message: "\xfe"}}, Warnings: []string{"\xff"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := new(Tools).completed(&call.Request{Catalog: &catalog.Catalog{}, Bound: &catalog.Call{CLI: cli, Model: "asked"}}, call.Job{State: call.Completed}, out)
			got := whole(t, r)
			if (got["exitCode"] != nil) != (out.ExitCode >= 0) || r.Response != out.Answer.Shown || r.IsError != (out.Answer.Failure != nil) {
				t.Errorf("%+v", r)
			}
			if out.Answer.Model == "" && got["model"] != "asked" {
				t.Errorf("model: %v", got["model"])
			}
		})
	}
}

// TestAgeOfAnAnswer: text and structure tell how old the answer of a joined job is.
func TestAgeOfAnAnswer(t *testing.T) {
	job := call.Job{Row: store.Job{ID: "j1", Cwd: "/work"}, State: call.Completed, Joined: true, Age: 754 * time.Second}
	r := new(Tools).completed(&call.Request{Catalog: &catalog.Catalog{}, Bound: &catalog.Call{CLI: &catalog.CLI{Name: "acme"}}}, job, call.Completion{ID: "j1", ExitCode: -1})
	text := strings.Join(r.Text, "\n")
	if whole(t, r)["answerAgeMs"] != 754e3 || !strings.Contains(text, "answered 12m34s ago") || !strings.Contains(text, "answerAgeMs=754000") {
		t.Errorf("%s\n%s", text, r.Structured)
	}
}
