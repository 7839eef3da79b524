package secret_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
	"github.com/llm-cli-gateway/gateway/engine/secret"
)

func finder(t testing.TB, vetted bool) *secret.Finder {
	t.Helper()
	ps := lang.NewProblems("secret")
	f := secret.Compile(langtest.Secrets(t), vetted, ps)
	if len(*ps.List) > 0 {
		t.Fatal(*ps.List)
	}
	return f
}

// sample is a text of the corpus.
type sample struct {
	text, want string
	secrets    int
}

// corpus are the texts about one kind, as they are and with escapes for line breaks.
func corpus(t testing.TB, kind string) (samples []sample) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "corpus", kind+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		line = strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "{}", "")
		sign, text, ok := strings.Cut(line, " ")
		if !ok || sign != "+" && sign != "-" {
			continue
		}
		for _, text := range []string{text, strings.ReplaceAll(text, `\n`, "\n")} {
			parts := strings.Split(text, "<<")
			s := sample{text: parts[0], want: parts[0], secrets: len(parts) - 1}
			for _, part := range parts[1:] {
				hidden, rest, _ := strings.Cut(part, ">>")
				s.text += hidden + rest
				s.want += secret.Mark + rest
			}
			if sign == "+" != (s.secrets > 0) {
				t.Fatalf("%s: %s", kind, line)
			}
			samples = append(samples, s)
		}
	}
	return samples
}

func TestCorpus(t *testing.T) {
	f := finder(t, false)
	for kind := range langtest.Secrets(t).All() {
		with, without := 0, 0
		for _, s := range corpus(t, kind) {
			if got := f.Redact(s.text); got != s.want {
				t.Errorf("%s: %q\ngives %q\n want %q", kind, s.text, got, s.want)
			}
			if s.secrets == 0 {
				without++
				continue
			}
			with++
			if !f.In(s.text) {
				t.Errorf("%s: %q has none", kind, s.text)
			}
			if got := f.Kind(s.text); got != kind {
				t.Errorf("%q is taken for %s, not %s", s.text, got, kind)
			}
		}
		if with < 2 || without < 2 {
			t.Errorf("%s: %d texts with a secret, %d without", kind, with, without)
		}
	}
}

// What only looks like a secret is left alone.
func TestNoSecrets(t *testing.T) {
	f := finder(t, false)
	data, err := os.ReadFile("testdata/nothing.txt")
	if err != nil {
		t.Fatal(err)
	}
	texts := append(strings.Split(string(data), "\n"), string(data))
	for i := range 2000 {
		sum := sha256.Sum256([]byte(fmt.Sprint(i)))
		texts = append(texts, hex.EncodeToString(sum[:]), hex.EncodeToString(sum[:20]), "sha256-"+base64.StdEncoding.EncodeToString(sum[:]), "sha512-"+base64.StdEncoding.EncodeToString(append(sum[:], sum[:]...)), base64.RawURLEncoding.EncodeToString(sum[:]),
			base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("Ordinary text of any kind, number %d; {\"json\": true}", i))), base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf(`{"number":%d}`, i))))
	}
	for _, text := range texts {
		if got := f.Redact(text); got != text || f.In(text) {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestSeveral(t *testing.T) {
	f := finder(t, true)
	var all, want strings.Builder
	for kind := range langtest.Secrets(t).All() {
		for _, s := range corpus(t, kind) {
			if s.secrets > 0 {
				all.WriteString(s.text + "\n")
				want.WriteString(s.want + "\n")
			}
		}
	}
	if got := f.Redact(all.String()); got != want.String() {
		t.Errorf("%s\nwant\n%s", got, want.String())
	}
	if got := (*secret.Finder)(nil).Redact(all.String()); got != all.String() {
		t.Error("without kinds something was found")
	}
}

// A finder is shared by all calls, and compiles what they need meanwhile.
func TestConcurrent(t *testing.T) {
	f := finder(t, true)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for kind := range langtest.Secrets(t).All() {
				for _, s := range corpus(t, kind) {
					if got := f.Redact(s.text); got != s.want {
						t.Errorf("%s: %q", kind, got)
					}
				}
			}
		})
	}
	all.Wait()
}

func TestProblems(t *testing.T) {
	ps := lang.NewProblems("secret")
	var kinds lang.Map[lang.SecretSpec]
	kinds.Set("a", lang.SecretSpec{Begins: []string{"a-"}, Then: "("})
	kinds.Set("b", lang.SecretSpec{Then: "x", Needs: []string{"x", "["}})
	secret.Compile(kinds, false, ps)
	var got []string
	for _, p := range *ps.List {
		got = append(got, strings.Join(p.Path, "."))
	}
	if want := "secret.a.then secret.b.begins secret.b.needs.1"; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// The time grows with the text, and not with its square, whoever wrote it: else this would take
// hours.
func TestLongTexts(t *testing.T) {
	f := finder(t, true)
	for _, spec := range langtest.Secrets(t).All() {
		for _, begin := range spec.Begins {
			for _, text := range []string{begin, begin + "a", begin + "-", begin + "/", begin + "a/", begin + " ", begin + "a."} {
				f.Redact(strings.Repeat(text, 300_000/len(text)))
			}
		}
	}
}

func FuzzRedact(f *testing.F) {
	find := finder(f, true)
	planted := []string{}
	for kind := range langtest.Secrets(f).All() {
		for _, s := range corpus(f, kind) {
			if s.secrets == 1 {
				before, after, _ := strings.Cut(s.want, secret.Mark)
				planted = append(planted, strings.TrimSuffix(strings.TrimPrefix(s.text, before), after))
				f.Add("before ", s.text+" after", len(planted)-1)
			}
		}
	}
	f.Fuzz(func(t *testing.T, before, after string, which int) {
		if which < 0 {
			return
		}
		key := planted[which%len(planted)]
		for _, text := range []string{before, before + after, before + " " + key + " " + after} {
			got := find.Redact(text)
			if utf8.ValidString(text) && !utf8.ValidString(got) {
				t.Errorf("%q: %q is no valid text", text, got)
			}
			if find.In(text) != (got != text) {
				t.Errorf("%q: In does not agree with %q", text, got)
			}
			if again := find.Redact(got); again != got {
				t.Errorf("%q: %q, and then %q", text, got, again)
			}
		}
		if !find.In(key) { // a part that is secret only behind what stands before it
			return
		}
		if got := find.Redact(before + " " + key + " " + after); strings.Contains(got, key) && !strings.Contains(before+after, key) {
			t.Errorf("%q stays in %q", key, got)
		}
	})
}

func BenchmarkRedact(b *testing.B) {
	prose := "The answer is a long text, as they are: it has words, numbers such as 12, and code(x). "
	code := "\tif err := x.do(ctx, \"sk-learn\", map[string]int{\"a-b\": 1}); err != nil { // https://host/path -- see below\n"
	for _, size := range []int{2_000, 100_000, 1_000_000} {
		for name, text := range map[string]string{"prose": prose, "code": code} {
			text = strings.Repeat(text, size/len(text)+1)[:size]
			b.Run(fmt.Sprintf("%s%d", name, size), func(b *testing.B) {
				f := finder(b, true)
				b.SetBytes(int64(size))
				for b.Loop() {
					f.Redact(text)
				}
			})
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	all := langtest.Secrets(b)
	for _, vetted := range []bool{true, false} {
		b.Run(fmt.Sprintf("vetted=%v", vetted), func(b *testing.B) {
			for b.Loop() {
				secret.Compile(all, vetted, lang.NewProblems("secret"))
			}
		})
	}
}
