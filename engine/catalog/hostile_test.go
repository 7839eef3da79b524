package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// ruleCheckerOf knows which words of a command line the spec wrote itself, found out from
// the spec alone, so that a fault of the renderer cannot hide in the check.
type ruleCheckerOf struct {
	literals map[string]bool
	flags    []string // that carry a value
}

func newRuleChecker(cli *CLI) ruleCheckerOf {
	j := ruleCheckerOf{literals: map[string]bool{}}
	add := func(words ...string) {
		for _, w := range words {
			if !strings.Contains(w, "{") {
				j.literals[w] = true
			}
		}
	}
	s := cli.CLISpec
	add(slices.Concat(s.Argv.New, s.Argv.Resume, s.Argv.Latest, s.Session.Create, s.Session.Resume, s.Session.Latest)...)
	if s.Prompt.Flag != "" {
		add(s.Prompt.Flag)
		j.flags = append(j.flags, s.Prompt.Flag)
	}
	for _, list := range [][]string{s.Session.Create, s.Session.Resume} {
		for _, w := range list {
			if flag, rest, _ := strings.Cut(w, "="); rest == "{id}" {
				j.flags = append(j.flags, flag)
			}
		}
	}
	for _, p := range s.Params.All() {
		add(p.Words...)
		for _, words := range p.Values {
			add(words...)
		}
		add(p.NoFlag)
		if p.Flag != "" {
			add(p.Flag)
			j.flags = append(j.flags, p.Flag)
		}
	}
	return j
}

// unexpectedOptions are the words that stand as options and are none of the spec's: not a
// literal, not a value joined to a declared flag, not behind "--".
func (j ruleCheckerOf) unexpectedOptions(args []string) (found []string) {
	for _, w := range args {
		joined := slices.ContainsFunc(j.flags, func(flag string) bool { return strings.HasPrefix(w, flag+"=") })
		switch {
		case w == "--":
			return found
		case strings.HasPrefix(w, "-") && !j.literals[w] && !joined:
			found = append(found, w)
		}
	}
	return found
}

// mark ends every hostile text, so that a value cannot be taken for a literal.
const mark = "§"

// check binds and renders arguments, and says what is wrong with the outcome.
func (j ruleCheckerOf) check(cli *CLI, args []byte) (cmd *Command, fault string) {
	call, violations := cli.Bind(args, nil, langtest.IDs())
	if (call == nil) == (violations == nil) {
		return nil, fmt.Sprintf("want either a call or violations, got %v and %v", call, violations)
	}
	if call == nil {
		return nil, ""
	}
	first, violations := call.Command("/private")
	if violations != nil {
		return nil, ""
	}
	if found := j.unexpectedOptions(first.Args); found != nil {
		return nil, fmt.Sprintf("%q stand as options in %q", found, first.Args)
	}
	for _, w := range first.Args {
		if strings.ContainsRune(w, 0) {
			return nil, fmt.Sprintf("NUL in %q", w)
		}
	}
	again, violations := cli.Bind(again(call), nil, func() string { return "another" })
	if violations != nil {
		return nil, fmt.Sprintf("bound again: %v", violations)
	}
	second, violations := again.Command("/private")
	if violations != nil || !slices.Equal(first.Args, second.Args) {
		return nil, fmt.Sprintf("bound again: %q, not %q, %v", second.Args, first.Args, violations)
	}
	return &first, ""
}

// again are the arguments that a record of the call would give.
func again(call *Call) json.RawMessage {
	args := call.Arguments()
	args[ParamPrompt] = call.Prompt
	if call.SessionID != "" {
		args[ParamSessionID] = call.SessionID
	}
	switch {
	case call.Mode == lang.Latest:
		args[ParamResumeLatest] = true
	case call.Mode == lang.New && call.SessionID != "":
		args[ParamCreateNewSession] = true
	}
	return text.MustJSON(args)
}

var pool = func() (texts []string) {
	for _, s := range append(slices.Clone(HostileValues), "", "a", "-", "--", "--on", "--model", "-c", "--name=--evil", "-x\x00", " -e", "'", "a,--evil",
		"a::--evil", "é世🚀", "\u2028--evil", "$(x)", "@file", "1", "-1", "{id}", "{json}", strings.Repeat("-", 300)) {
		texts = append(texts, s, s+mark)
	}
	return texts
}()

// randomArgs writes some arguments of a tool, a ninth of them of a wrong kind.
func randomArgs(r *rand.Rand, cli *CLI, out *bytes.Buffer) {
	text := func() string { return quote(pool[r.IntN(len(pool))]) }
	list := func() string {
		items := make([]string, r.IntN(4))
		for i := range items {
			items[i] = text()
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	wrong := []string{"null", "{}", "[null]", "1e300", "-7", "2.5", "true", `""`, `"a"`, "[]"}
	out.Reset()
	out.WriteString(`{"prompt":"-hi"`)
	for range 1 + r.IntN(5) {
		p := cli.params[r.IntN(len(cli.params))]
		if p.role == rolePrompt {
			continue
		}
		value := wrong[r.IntN(len(wrong))]
		if r.IntN(9) > 0 {
			switch {
			case p.Kind == Bool:
				value = strconv.FormatBool(r.IntN(2) == 0)
			case p.Kind == List:
				value = list()
			case p.Kind == Int || p.Kind == Number:
				value = strconv.Itoa(r.IntN(60) - 5)
			case p.Name == ParamSessionID && r.IntN(2) == 0:
				value = `"0a1b"`
			case len(p.Enum) > 0 && r.IntN(4) > 0:
				value = quote(p.Enum[r.IntN(len(p.Enum))])
			default:
				value = text()
			}
		}
		fmt.Fprintf(out, ",%q:%s", p.Name, value)
	}
	out.WriteByte('}')
}

// TestNoValueIsAnOption makes calls of two CLIs that have every carrier, which give some
// 8,000 and 2,500 different command lines.
func TestNoValueIsAnOption(t *testing.T) {
	calls := 45_000
	if testing.Short() {
		calls = 5_000
	}
	for seed, name := range []string{"acme", "zeta"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cli, r := shared(t, name), rand.New(rand.NewPCG(20, uint64(seed)))
			checker, accepted, args := newRuleChecker(cli), 0, bytes.Buffer{}
			made := map[string]bool{}
			for range calls {
				randomArgs(r, cli, &args)
				if made[args.String()] {
					continue
				}
				made[args.String()] = true
				cmd, fault := checker.check(cli, args.Bytes())
				if fault != "" {
					t.Fatalf("%s: %s", args.Bytes(), fault)
				}
				if cmd != nil {
					accepted++
				}
			}
			if accepted < calls/20 {
				t.Errorf("only %d of %d calls were accepted: the test sees too little", accepted, calls)
			}
		})
	}
}

// TestRuleChecker shows that the check of these tests finds what it is there for.
func TestRuleChecker(t *testing.T) {
	checker := newRuleChecker(shared(t, "acme"))
	for words, want := range map[string]int{
		"--evil": 1, "run --json -e§ x": 1, "--name=--evil": 0, "--evil=--name": 1, "-s -v§": 1, "-- --evil": 0, "--on --no-tri": 0, "--on§": 1, "-": 1,
	} {
		if got := checker.unexpectedOptions(strings.Fields(words)); len(got) != want {
			t.Errorf("%s: got %q, want %d", words, got, want)
		}
	}
}

func FuzzBind(f *testing.F) {
	for _, s := range []string{`{"prompt":"hi"}`, `null`, `[]`, `{"prompt":"x","tags":["a",1],"turns":1e400}`, `{"prompt":"x","sessionId":"-"}`, "{\"a\":\"\xff\"}", `{"prompt":"\ud800"}`,
		`{"prompt":"x","tags":"[\"a\",1]","turns":"3","on":"True","heat":" 1e9 ","level":5}`, `{"prompt":"x","tags":"--evil","turns":"","on":"null","dirs":"[]"}`, `{"prompt":"x","tags":"[[","name":-1e-9}`} {
		f.Add([]byte(s))
	}
	cli := shared(f, "acme")
	checker := newRuleChecker(cli)
	f.Fuzz(func(t *testing.T, args []byte) {
		if _, fault := checker.check(cli, args); fault != "" {
			t.Fatal(fault)
		}
	})
}

// FuzzArgv gives one hostile text to every parameter in turn, alone and in a list.
func FuzzArgv(f *testing.F) {
	for _, s := range HostileValues {
		f.Add(s)
	}
	f.Add("a,b")
	f.Add("--")
	clis := []*CLI{shared(f, "acme"), shared(f, "zeta")}
	f.Fuzz(func(t *testing.T, body string) {
		for _, cli := range clis {
			checker := newRuleChecker(cli)
			for _, p := range cli.params {
				for _, value := range []any{body + mark, []string{body + mark}, []string{"a", body + mark}} {
					args := map[string]any{ParamPrompt: "hi"}
					args[p.Name] = value
					cmd, fault := checker.check(cli, text.MustJSON(args))
					if fault != "" {
						t.Fatalf("%s: %s", p.Name, fault)
					}
					if cmd == nil || p.role != "" {
						continue
					}
					if n := strings.Count(strings.Join(cmd.Args, "\x00"), mark) + strings.Count(fmt.Sprint(cmd.Env), mark); n > 1 {
						t.Fatalf("%s stands %d times in %q", p.Name, n, cmd.Args)
					}
				}
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"", "text", `{"type":"delta","text":"a"}` + "\n" + `{"type":"done"}`, "[\n[\n{\"result\":1}", `{"result":{"a":[1,"x"]}}`, `[1,{"result":"a"}]`, "{\"a\":\"\xff\"}\r\n", `{"type":"start","id":1e300}`} {
		f.Add([]byte(s), 0)
	}
	var calls []*Call
	for _, spec := range []string{"lines", "object", "acme"} {
		for _, args := range []string{`{"prompt":"hi"}`, `{"prompt":"hi","view":"json"}`, `{"prompt":"hi","view":"all"}`} {
			if call, violations := shared(f, spec).Bind(json.RawMessage(args), nil, langtest.IDs()); violations == nil {
				calls = append(calls, call)
			}
		}
	}
	f.Fuzz(func(t *testing.T, stdout []byte, exit int) {
		for _, call := range calls {
			var seen [2]string
			for i := range seen {
				answer, err := call.Decode(extract.Run{Stdout: bytes.NewReader(stdout), Exit: exit})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := json.Marshal(answer); err != nil {
					t.Fatalf("the answer cannot be written down: %v", err)
				}
				seen[i] = printAnswer(answer)
			}
			if seen[0] != seen[1] {
				t.Fatalf("once:\n%sand then:\n%s", seen[0], seen[1])
			}
		}
	})
}
