package extract

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

// TestProgress tells, for each case, the message after each step of the file "in":
// "out" and "err" print a line, "out-" and "err-" a quoted part of one, and "skip"
// leaves a gap. Printed byte by byte, or as much as possible at once, all must come
// out the same.
func TestProgress(t *testing.T) {
	langtest.Archives(t, "progress", func(t *testing.T, files map[string]string) string {
		out := outputOf(t, langtest.Text(t, files))
		stepwise, bytewise := out.Progress(), out.Progress()
		var steps []printed
		var b strings.Builder
		for text := range strings.Lines(files["in"]) {
			step := readStep(t, text)
			steps = append(steps, step)
			step.on(stepwise)
			for i := range len(step.text) {
				printed{stream: step.stream, text: step.text[i : i+1]}.on(bytewise)
			}
			if step.gap {
				step.on(bytewise)
			}
			tail := stepwise.Tail()
			if other := bytewise.Tail(); tail != other {
				t.Errorf("%sstep by step: %q\nbyte by byte: %q", text, tail, other)
			}
			if other := atOnce(out, steps); tail != other {
				t.Errorf("%sstep by step: %q\nat once: %q", text, tail, other)
			}
			if fault := faultOf(tail); fault != "" {
				t.Errorf("%s%s: %q", text, fault, tail)
			}
			fmt.Fprintln(&b, tail)
		}
		return b.String()
	})
}

// outputOf compiles the output of a spec that must be without problems.
func outputOf(t testing.TB, text []byte) *Output {
	t.Helper()
	spec, _ := langtest.Read(t, text).CLI.Get("acme")
	if spec.Output.Format == "" {
		spec.Output.Format = "text"
	}
	ps := lang.NewProblems()
	out := Compile(&spec, "acme", "acme", false, ps)
	if len(*ps.List) > 0 {
		t.Fatal(*ps.List)
	}
	return out
}

// printed is one step of a case.
type printed struct {
	stream Stream
	text   string
	gap    bool // instead of text
}

func readStep(t *testing.T, step string) printed {
	t.Helper()
	verb, text, _ := strings.Cut(strings.TrimSuffix(step, "\n"), " ")
	gap := verb == "skip"
	if gap {
		verb, text = text, ""
	}
	name, part := strings.CutSuffix(verb, "-")
	stream, known := map[string]Stream{"out": Stdout, "err": Stderr}[name]
	if !known {
		t.Fatalf("no such step: %s", step)
	}
	text = langtest.Expand(text)
	switch {
	case part:
		var err error
		if text, err = strconv.Unquote(text); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	case !gap:
		text += "\n"
	}
	return printed{stream, text, gap}
}

func (s printed) on(p *Progress) {
	if s.gap {
		p.Skip(s.stream)
	}
	p.Write(s.stream, []byte(s.text))
}

// atOnce is the message after the steps, with those that follow each other on a
// stream made one.
func atOnce(out *Output, steps []printed) string {
	p, joined := out.Progress(), printed{}
	for _, step := range steps {
		if step.gap || step.stream != joined.stream {
			joined.on(p)
			joined = step
			continue
		}
		joined.text += step.text
	}
	joined.on(p)
	return p.Tail()
}

// faultOf says what makes a text unfit for a message.
func faultOf(tail string) string {
	switch {
	case !utf8.ValidString(tail):
		return "no UTF-8"
	case utf8.RuneCountInString(tail) > 200:
		return "too long"
	case strings.TrimSpace(tail) != tail:
		return "not trimmed"
	case strings.ContainsFunc(tail, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
	}):
		return "more than a line of plain text"
	}
	return ""
}

// TestProgressIsSmall prints without an end of line what would fill any memory.
func TestProgressIsSmall(t *testing.T) {
	for name, begin := range map[string]string{
		"plain": "a", "text": `{"type":"says","text":"`, "escapes": `{"a":"` + `\"`, "numbers": `{"a":[1`, "strings": `{"a":["`,
	} {
		more := map[string]string{"plain": "word ", "text": "word ", "escapes": `\"\u00e9\\`, "numbers": ",1", "strings": `x","`}[name]
		p := outputOf(t, langtest.Spec(t, "watched")).Progress()
		part := []byte(strings.Repeat(more, 1<<16/len(more)))
		p.Write(Stdout, []byte(begin))
		p.Write(Stdout, part)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 300 {
			p.Write(Stdout, part)
		}
		p.Tail()
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%s: %d bytes were taken for %d", name, grown, 300*len(part))
		}
		if kept := cap(p.pending[Stdout].buf) + cap(p.text); kept > 200<<10 {
			t.Errorf("%s: %d bytes are kept", name, kept)
		}
	}
}

// TestPrefilter holds that no record is passed over for which the condition holds.
func TestPrefilter(t *testing.T) {
	for src, want := range map[string][]string{
		"event.type == 'a'":                            {"a"},
		"'a' == event.type":                            {"a"},
		"event.item?.type == 'a' && event.x == 'b'":    {"a"},
		"event.n > 3 and event.x == 'b'":               {"b"},
		"event.type == 'a' || event.x in ['b', 'c-d']": {"a", "b", "c-d"},
		"last(event.list).type == 'a'":                 {"a"},
		"event['type'] == 'a'":                         {"a"},
		"event.type == 'a' || event.n == 3":            nil,
		"event.type != 'a'":                            nil,
		"!(event.type == 'a')":                         nil,
		"lower(event.type) == 'a'":                     nil,
		"event.a + event.b == 'ab'":                    nil,
		"(event.type ?? 'a') == 'a'":                   nil,
		"event.type == 'a/b'":                          nil,
		"event.type == 'é'":                            nil,
		"event.type == 3":                              nil,
		"event.type in ['a', 3]":                       nil,
		"event.type in event.types":                    nil,
		"event.type startsWith 'a'":                    nil,
		"event.type ==":                                nil,
	} {
		var got []string
		for _, mark := range (&Expression{src: src, scope: recordScope, condition: true}).prefilter() {
			got = append(got, strings.Trim(string(mark), `"`))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}

// FuzzProgress cuts what is printed anywhere: the message must be the same, and fit
// to be shown.
func FuzzProgress(f *testing.F) {
	names, err := filepath.Glob("testdata/progress/*.txtar")
	if err != nil || len(names) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, []byte("warning: x\r\n"), []byte{1, 7, 200})
		for line := range strings.Lines(string(text)) {
			if _, rest, ok := strings.Cut(line, " "); ok {
				f.Add([]byte(rest), []byte(rest), []byte{3, 9})
			}
		}
	}
	var outputs []*Output
	for _, spec := range []string{"watched", "lines", "object", "acme"} {
		outputs = append(outputs, outputOf(f, langtest.Spec(f, spec)))
	}
	f.Fuzz(func(t *testing.T, out, err, cuts []byte) {
		// Too long a text is left as it is.
		out, err = []byte(langtest.ExpandWithin(string(out), 100<<10)), []byte(langtest.ExpandWithin(string(err), 100<<10))
		for _, output := range outputs {
			whole, parts := output.Progress(), output.Progress()
			for stream, text := range [][]byte{out, err} {
				whole.Write(Stream(stream), text)
				for i := 0; len(text) > 0; i++ {
					n := len(text)
					if len(cuts) > 0 {
						c := int(cuts[i%len(cuts)])
						n = min(n, 1+c*c)
					}
					parts.Write(Stream(stream), slices.Clone(text[:n]))
					if i%64 == 0 { // to look changes nothing, and takes longer than to write
						parts.Tail()
					}
					text = text[n:]
				}
				if one, other := whole.Tail(), parts.Tail(); one != other {
					t.Fatalf("at once: %q\nin parts: %q", one, other)
				}
				if fault := faultOf(whole.Tail()); fault != "" {
					t.Fatalf("%s: %q", fault, whole.Tail())
				}
			}
			whole.Skip(Stdout)
			whole.Write(Stdout, out)
			if fault := faultOf(whole.Tail()); fault != "" {
				t.Fatalf("behind a gap: %s: %q", fault, whole.Tail())
			}
		}
	})
}

// benchmarkProgress reads the output in parts of 64 KB, as one who polls a file does.
func benchmarkProgress(b *testing.B, spec, stdout string) {
	out, printed := outputOf(b, langtest.Spec(b, spec)), []byte(stdout)
	b.SetBytes(int64(len(stdout)))
	b.ReportAllocs()
	for b.Loop() {
		p := out.Progress()
		for part := range slices.Chunk(printed, 64<<10) {
			p.Write(Stdout, part)
		}
		if p.Tail() == "" {
			b.Fatal("nothing is known")
		}
	}
}

// BenchmarkProgressRecords is a flood of records that each have something to say.
func BenchmarkProgressRecords(b *testing.B) {
	benchmarkProgress(b, "watched", strings.Repeat(`{"type":"delta","role":"agent","timestamp":"2026-11-21T10:13:13.662Z","text":"some words "}`+"\n", 1<<14))
}

// BenchmarkProgressOthers is one of records that no rule is for.
func BenchmarkProgressOthers(b *testing.B) {
	other := `{"type":"result","of":"shell","output":"4 of 5 tests pass, 1 fails","usage":{"in":5,"out":2},"more":{"a":[1,2,3]}}` + "\n"
	benchmarkProgress(b, "marked", `{"type":"says","text":"x"}`+"\n"+strings.Repeat(other, 1<<14))
}

// BenchmarkProgressText is a flood of plain lines.
func BenchmarkProgressText(b *testing.B) {
	benchmarkProgress(b, "acme", strings.Repeat("A line of a log that goes on and on.\n", 1<<16))
}

func BenchmarkProgress40MBRecord(b *testing.B) {
	benchmarkProgress(b, "watched", `{"type":"says","text":"`+strings.Repeat("x", 40<<20)+`"}`+"\n")
}

func BenchmarkProgress40MBLine(b *testing.B) {
	benchmarkProgress(b, "acme", strings.Repeat("x", 40<<20))
}
