package main

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/lang/reference"
	"github.com/llm-cli-gateway/gateway/schema"
)

// repository is the root of the repository.
var repository = filepath.Join("..", "..")

// pages are the Markdown files of the repository, by their path from its root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(repository), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name != "." && strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules"):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".md":
			return nil
		}
		data, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(name)))
		all[name] = string(data)
		return err
	})
	if err != nil || len(all) < 6 {
		t.Fatalf("%d pages, %v", len(all), err)
	}
	return all
}

var (
	fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")
	link  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

func TestLinksResolve(t *testing.T) {
	all := pages(t)
	anchors := map[string]bool{}
	for name, text := range all {
		for _, s := range sections(text) {
			anchors[name+"#"+reference.Anchor(s.title)] = true
		}
	}
	found := 0
	for name, text := range all {
		prose := codeSpan.ReplaceAllString(fence.ReplaceAllString(text, ""), "")
		for _, m := range link.FindAllStringSubmatch(prose, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			found++
			file, anchor, _ := strings.Cut(m[1], "#")
			target := name
			if file != "" {
				target = path.Join(path.Dir(name), file)
			}
			if _, err := os.Stat(filepath.Join(repository, filepath.FromSlash(target))); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, m[1])
			} else if anchor != "" && !anchors[target+"#"+anchor] {
				t.Errorf("%s links to %s, but %s has no such heading", name, m[1], target)
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d links found", found)
	}
}

func TestReadmeIsShort(t *testing.T) {
	if n := len(pages(t)["README.md"]); n > 12_000 {
		t.Errorf("README.md has %d bytes, at most 12,000 are allowed", n)
	}
}

// runs executes a command line in this process.
func runs(t *testing.T, words ...string) (code int, out string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), words, strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String() + stderr.String()
}

func TestEveryTopicResolves(t *testing.T) {
	_, list := runs(t, "help", "topics")
	for _, s := range topics(engine.Operations) {
		name := reference.Anchor(s.title)
		code, out := runs(t, "help", name)
		if code != 0 || !strings.Contains(out, "## "+s.title+"\n") {
			t.Errorf("gateway help %s: exit code %d\n%s", name, code, out)
		}
		if n := len(s.summary()); n == 0 || n > 70 || !strings.Contains(list, name+" ") {
			t.Errorf("the topic %s must begin with a sentence of at most 70 bytes, for the list of topics", name)
		}
	}
	headings := 0
	for _, s := range topics(schema.Reference) {
		for _, path := range append(pathsOf(s.title), []string{reference.Anchor(s.title)}) {
			headings++
			if code, out := runs(t, "help", "language", strings.Join(path, ".")); code != 0 || !strings.Contains(out, "## "+s.title+"\n") {
				t.Errorf("gateway help language %s: exit code %d\n%s", strings.Join(path, "."), code, out)
			}
		}
	}
	if headings < 15 {
		t.Errorf("only %d headings in the reference of the language", headings)
	}
}

// TestEveryFieldResolves looks up each row of the reference, also by a path as
// diagnostics write it.
func TestEveryFieldResolves(t *testing.T) {
	all := fields(schema.Reference)
	if len(all) < 100 {
		t.Fatalf("only %d fields in the reference of the language", len(all))
	}
	for _, f := range all {
		path := strings.Join(f.path, ".")
		if text, near := lookUp(schema.Reference, path); text == "" {
			t.Errorf("%s is not found, but %q", path, near)
		}
	}
	for _, c := range []struct{ path, want, near string }{
		{"cli.prompt.via", "`via`", ""},
		{"cli.acme.params.voice.each", "`each`", ""},
		{"policy.careful.approve", "approve`", ""},
		{"cli.output.usage.input", "`output.usage.input`", ""},
		{"cli.login.env", "`login.env`", ""},
		{"cli.promt", "", "cli.prompt"},
		{"cli.params.eahc", "", "cli.params.each"},
		{"nothing.of.the.kind", "", ""},
	} {
		text, near := lookUp(schema.Reference, c.path)
		if near != c.near || (text == "") != (c.want == "") || !strings.Contains(text, c.want) {
			t.Errorf("%s: near %q, text %q", c.path, near, text)
		}
	}
}

// wholeRoot has the commands too that are added when a command line is executed.
func wholeRoot() *cobra.Command {
	root := newRoot(&app{})
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return root
}

// commandLine holds the words of a command line against what the program understands.
func commandLine(t *testing.T, where string, words []string, complete bool) {
	t.Helper()
	cmd, rest, err := wholeRoot().Find(words)
	if err == nil && (complete || !strings.ContainsAny(strings.Join(rest, " "), "[|")) {
		err = cmd.ParseFlags(rest)
	}
	if err == nil && complete {
		err = cmd.ValidateArgs(cmd.Flags().Args())
	}
	if err == nil && cmd.Name() == "help" && !slices.ContainsFunc(rest, placeholder) {
		if code, out := runs(t, words...); code != 0 {
			t.Errorf("%s: gateway %s: %s", where, strings.Join(words, " "), out)
		}
	}
	if err != nil {
		t.Errorf("%s: gateway %s: %v", where, strings.Join(words, " "), err)
	}
}

// placeholder reports whether a word stands for others, such as NAME or [PATH].
func placeholder(word string) bool {
	return strings.HasPrefix(word, "[") || word == strings.ToUpper(word)
}

var shellWord = regexp.MustCompile(`(?:[^\s"']+|"[^"]*"|'[^']*')+`)

// shell takes a line apart into words without their quotes, up to a comment.
func shell(line string) (words []string) {
	for _, word := range shellWord.FindAllString(line, -1) {
		if strings.HasPrefix(word, "#") {
			break
		}
		words = append(words, strings.NewReplacer(`"`, "", `'`, "").Replace(word))
	}
	return words
}

// TestCommandBlocks recognises every line of the shell blocks of every page.
func TestCommandBlocks(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(repository, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for name, text := range pages(t) {
		for _, block := range fence.FindAllStringSubmatch(text, -1) {
			if block[1] != "sh" {
				continue
			}
			for line := range strings.Lines(block[2]) {
				words := shell(line)
				if len(words) == 0 {
					continue
				}
				found++
				switch {
				case words[0] == "gateway" || words[0] == "bin/gateway":
					commandLine(t, name, words[1:], true)
				case len(words) > 3 && slices.Equal(words[:3], []string{"go", "run", "./cmd/gateway"}):
					commandLine(t, name, words[3:], true)
				case words[0] == "make":
					for _, target := range words[1:] {
						if !strings.Contains(target, "=") && !bytes.Contains(makefile, []byte("\n"+target+":")) {
							t.Errorf("%s: the Makefile has no target %s", name, target)
						}
					}
				case !slices.Contains([]string{"go", "export", "sqlite3"}, words[0]):
					t.Errorf("%s: %q is a command that no test knows", name, strings.TrimSpace(line))
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d commands found", found)
	}
}

// TestCommandsInProse recognises what pages and help texts mention between backticks or
// show as an example.
func TestCommandsInProse(t *testing.T) {
	mentioned := 0
	for name, text := range pages(t) {
		for _, span := range codeSpan.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			if words := shell(strings.ReplaceAll(span[1], `\|`, "|")); len(words) > 1 && words[0] == "gateway" {
				mentioned++
				commandLine(t, name, words[1:], false)
			}
		}
	}
	if mentioned < 50 {
		t.Errorf("only %d commands are mentioned", mentioned)
	}
	walk(wholeRoot(), func(cmd *cobra.Command) {
		for line := range strings.Lines(cmd.Example) {
			_, line, _ = strings.Cut(line, "$ ")
			for part := range strings.SplitSeq(strings.ReplaceAll(line, "&&", "|"), " | ") {
				if words := shell(part); len(words) > 0 && words[0] == "gateway" {
					commandLine(t, cmd.CommandPath(), words[1:], true)
				}
			}
		}
	})
}

func walk(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, sub := range cmd.Commands() {
		if cmd.Name() != "completion" { // its shells are arguments to a reader
			walk(sub, do)
		}
	}
}

// TestCommandsTable holds the table of commands against the commands: each has a row with
// all of its flags, and a row has no others.
func TestCommandsTable(t *testing.T) {
	rows := map[string]string{} // what a row says of a command, by its words
	for _, m := range regexp.MustCompile("(?m)^\\| `gateway ([^`]+)` \\|").FindAllStringSubmatch(topic(engine.Operations, "commands"), -1) {
		usage := strings.ReplaceAll(m[1], `\|`, " ")
		words := strings.Fields(usage)
		if i := slices.IndexFunc(words, func(w string) bool { return placeholder(w) }); i >= 0 {
			words = words[:i]
		}
		rows[strings.Join(words, " ")] = usage
	}
	flag := regexp.MustCompile(`--([a-z-]+)`)
	walk(wholeRoot(), func(cmd *cobra.Command) {
		name := strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), "gateway"), " ")
		if name == "" {
			return
		}
		usage, ok := rows[name]
		if !ok {
			t.Errorf("OPERATIONS.md has no row for gateway %s", name)
			return
		}
		delete(rows, name)
		var shown []string
		for _, m := range flag.FindAllStringSubmatch(usage, -1) {
			shown = append(shown, m[1])
		}
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && !slices.Contains(shown, f.Name) {
				t.Errorf("the row of gateway %s in OPERATIONS.md lacks --%s", name, f.Name)
			}
		})
		for _, f := range shown {
			if cmd.Flags().Lookup(f) == nil {
				t.Errorf("the row of gateway %s in OPERATIONS.md has --%s, which the command lacks", name, f)
			}
		}
	})
	for name := range rows {
		t.Errorf("OPERATIONS.md has a row for gateway %s, which is no command", name)
	}
}

func TestSections(t *testing.T) {
	const page = "preface\n# Page\nintro\n## A\na\n```\n# no heading\n```\n### B\nb\n## C\nc\n"
	got := sections(page)
	want := []section{
		{"Page", 1, strings.TrimPrefix(page, "preface\n"), "# Page\nintro\n"},
		{"A", 2, "## A\na\n```\n# no heading\n```\n### B\nb\n", "## A\na\n```\n# no heading\n```\n"},
		{"B", 3, "### B\nb\n", "### B\nb\n"},
		{"C", 2, "## C\nc\n", "## C\nc\n"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestHelpStopsAtTheFirstError(t *testing.T) {
	for _, words := range [][]string{{"help", "topics"}, {"help", "language"}, {"help", "settings"}} {
		if code := run(t.Context(), words, strings.NewReader(""), &failing{left: 10}, io.Discard); code == 0 {
			t.Errorf("gateway %s ignores that its output is closed", strings.Join(words, " "))
		}
	}
}
