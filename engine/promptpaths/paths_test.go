//go:build unix

package promptpaths

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// workspace is a working directory beside files that a call must not read.
type workspace struct {
	dir, root, home string
	call            func(prompt string) *catalog.Call
}

func newWorkspace(t testing.TB) workspace {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	y := workspace{dir: filepath.Join(base, "work"), root: filepath.Join(base, "root"), home: filepath.Join(base, "home")}
	for _, dir := range []string{y.dir, filepath.Join(y.dir, "sub"), y.root, y.home, filepath.Join(base, "deep", "er")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"work/in.txt", "work/with space.txt", "work/sub/in.txt", "root/in.txt", "home/keys", "out.txt", "out with space.txt", "a@b.txt", "deep/key.txt"} {
		if err := os.WriteFile(filepath.Join(base, file), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{
		"work/link": "../out.txt", "work/folder": base, "work/here": ".", "work/er": "../deep/er", "work/dangling": "nowhere",
		"work/(odd": "../out.txt",
	} {
		if err := os.Symlink(to, filepath.Join(base, name)); err != nil {
			t.Fatal(err)
		}
	}
	// The text of the prompt is all that matters here, so the call is made by hand.
	cli := &catalog.CLI{Name: "acme", CLISpec: lang.CLISpec{Title: "Acme", Prompt: lang.PromptSpec{Expands: []string{"@path"}}}}
	y.call = func(prompt string) *catalog.Call { return &catalog.Call{CLI: cli, Prompt: prompt} }
	if t, ok := t.(*testing.T); ok {
		t.Setenv("HOME", y.home)
	}
	return y
}

// in fills in the folder above the working directory for BASE.
func (y workspace) in(prompt string) string {
	return strings.ReplaceAll(prompt, "BASE", filepath.Dir(y.dir))
}

func TestMentionsOutside(t *testing.T) {
	y := newWorkspace(t)
	for name, prompt := range map[string]string{
		"absolute":                     "read @BASE/out.txt",
		"parent":                       "read @../out.txt",
		"detour":                       "read @sub/../../out.txt",
		"detour through nothing":       "read @nowhere/../../out.txt",
		"home":                         "read @~/keys",
		"home itself":                  "read @~",
		"link to a file":               "read @link",
		"through a linked folder":      "read @folder/out.txt",
		"above what a link leads to":   "read @er/../key.txt",
		"folder":                       "look at @..",
		"folder with slash":            "look at @../",
		"double quotes":                `read @"../out with space.txt" please`,
		"single quotes":                "read @'../out with space.txt' please",
		"backquotes":                   "read @`../out with space.txt` please",
		"quote that is never closed":   `read @"../out.txt`,
		"quoted as a whole":            `read "@../out.txt"`,
		"escaped space":                `read @../out\ with\ space.txt`,
		"needless escapes":             `read @\.\./out\.txt`,
		"in brackets":                  "read (@../out.txt)",
		"brackets behind the sign":     "read @(../out.txt)",
		"as an address in angles":      "read @<../out.txt>",
		"inside a word":                "read a@../out.txt",
		"like an e-mail":               "mail joe@BASE/out.txt",
		"escaped sign":                 `read \@../out.txt`,
		"twice the sign":               "read @@../out.txt",
		"behind another":               "read @in.txt@../out.txt",
		"before an escaped space":      `read @../out.txt\ or so`,
		"end of a sentence":            "read @../out.txt.",
		"ellipsis":                     "read @../out.txt...",
		"question":                     "did you read @../out.txt?",
		"comma and more":               "read @../out.txt,in.txt",
		"semicolon without a space":    "read @../out.txt;then",
		"possessive":                   "what is @../out.txt's size",
		"line range":                   "read @../out.txt#L3-9",
		"line number":                  "read @../out.txt:12",
		"glob":                         "read @../out.txt*",
		"no-break space":               "read @../out.txt\u00a0now",
		"ideographic space":            "read @../out.txt\u3000now",
		"byte order mark":              "read @../out.txt\ufeffnow",
		"vertical tab":                 "read @../out.txt\vnow",
		"ideographic full stop":        "read @../out.txt。",
		"zero-width joiner":            "read @../out.txt\u200dnow",
		"carriage return":              "read @../out.txt\r\nnow",
		"second line":                  "hello\n@../out.txt",
		"URL":                          "read @file://BASE/out.txt",
		"doubled slashes":              "read @BASE//out.txt",
		"leading double slash":         "read @/BASE/out.txt",
		"dots":                         "read @./.././out.txt",
		"link with a bracket":          "read @(odd",
		"device":                       "read @/dev/null",
		"descriptor":                   "read @/dev/fd/0",
		"process":                      "read @/proc/self/environ",
		"letters of another script":    "@../out.txtを読む",
		"hyphen":                       "read @../out.txt-now",
		"detour through punctuation":   "read @" + strings.Repeat(",", 100) + "/../../out.txt.",
		"detour through many marks":    "read @a,;:!?()[]{}<>|&$#*+=%^'`~/../../out.txt.",
		"mark before a mark":           "read @../out.txt.,x",
		"sign in the name":             "read @../a@b.txt",
		"braces":                       "read @{../out.txt}",
		"Markdown":                     "read **@../out.txt**",
		"Windows quotes":               "read “@../out.txt”",
		"after many that are harmless": strings.Repeat("@param x ", 5000) + "@../out.txt",
	} {
		t.Run(name, func(t *testing.T) {
			text := Outside(y.call(y.in(prompt)), y.dir, nil)
			if !strings.Contains(text, "outside the working directory "+y.dir) || !strings.Contains(text, "Acme") {
				t.Errorf("%q passes: %q", prompt, text)
			}
		})
	}
}

func TestMentionsInside(t *testing.T) {
	y := newWorkspace(t)
	for name, prompt := range map[string]string{
		"no sign":              "read ../out.txt",
		"file":                 "read @in.txt, then @sub/in.txt.",
		"absolute":             "read @BASE/work/in.txt",
		"link to inside":       "read @here/in.txt",
		"detour":               "read @sub/../in.txt",
		"quoted":               `read @"with space.txt"`,
		"escaped":              `read @with\ space.txt`,
		"root":                 "read @BASE/root/in.txt and @../root/in.txt",
		"what does not exist":  "read @../nothing and @/no/such/file",
		"dangling link":        "read @dangling",
		"e-mail":               "write to joe@example.com, or <ann@example.org>.",
		"decorators":           "@Override\n@property\n@app.route('/in')",
		"ellipsis":             "@... and @....",
		"alias of source text": `"paths": {"@/*": ["./src/*"]}`,
		"package":              `import x from "@scope/name"`,
		"sign alone":           "@ @\n@",
		"sign at the end":      "me @",
		"too long for a name":  "@" + strings.Repeat("x", 100_000),
		"pictures":             strings.Repeat(strings.Repeat("@", 78)+"\n", 1000),
		"no spaces":            strings.Repeat("日本語@テスト、", 2000),
		"a diff":               strings.Repeat("@@ -1,3 +1,4 @@\n", 5000),
		"many":                 strings.Repeat("@in.txt @nothing ", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			if text := Outside(y.call(y.in(prompt)), y.dir, []string{y.root}); text != "" {
				t.Errorf("%q is refused: %s", prompt, text)
			}
		})
	}
	other := y.call("read @../out.txt")
	other.CLI = &catalog.CLI{Name: "zeta", CLISpec: lang.CLISpec{Prompt: lang.PromptSpec{Expands: []string{"/command"}}}}
	if text := Outside(other, y.dir, nil); text != "" {
		t.Errorf("a CLI that expands nothing: %s", text)
	}
	if text := Outside(y.call("read @in.txt"), filepath.Join(y.dir, "here"), nil); text != "" {
		t.Errorf("a working directory that is a link: %s", text)
	}
}

// TestHostileMentions holds that a prompt cannot keep the gateway busy: what is too
// much to check is refused.
func TestHostileMentions(t *testing.T) {
	y := newWorkspace(t)
	for _, prompt := range []string{strings.Repeat("@a\\ ", 30_000), strings.Repeat("@", 100_000), strings.Repeat("@./", 40_000)} {
		Outside(y.call(prompt), y.dir, nil)
	}
	if text := Outside(y.call(strings.Repeat("@,", 50_000)), y.dir, nil); text != errTooManyMentions.Error() {
		t.Errorf("got %q", text)
	}
}

// FuzzOutside puts a mention of a file outside between arbitrary texts: as long as
// the text behind begins with what ends a path, the call must be refused.
func FuzzOutside(f *testing.F) {
	for _, seed := range []string{"", "x", "\\", `"`, "@", "\u00a0", "日", "@\"", "'@", "(", "\\\\", "a@b.c ", "\xff"} {
		f.Add(seed, " "+seed, true)
		f.Add(seed, ","+seed, false)
	}
	y := newWorkspace(f)
	f.Fuzz(func(t *testing.T, before, after string, relative bool) {
		path := filepath.Join(filepath.Dir(y.dir), "out.txt")
		if relative {
			path = "../out.txt"
		}
		Outside(y.call(before+"@"+path+after), y.dir, nil) // never panics
		if after != "" && !strings.ContainsAny(after[:1], " \t\n,;:!?)]}\"'#") {
			return
		}
		if len(before) > 1000 {
			return
		}
		if text := Outside(y.call(before+"@"+path+after), y.dir, nil); text == "" {
			t.Errorf("%q passes", before+"@"+path+after)
		}
	})
}
