package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/schema"
)

// TestReadmeRecipe follows the README as a new user does. The specs of all pages
// must be valid together.
func TestReadmeRecipe(t *testing.T) {
	readme := pages(t)["README.md"]
	specs := regexp.MustCompile("(?s)```(cue|yaml)\n(.*?)```")
	blocks := specs.FindAllStringSubmatch(readme, -1)
	if len(blocks) == 0 {
		t.Fatal("no spec in the README")
	}
	for _, page := range []string{engine.Operations, schema.Reference} {
		blocks = append(blocks, specs.FindAllStringSubmatch(page, -1)...)
	}
	all, recipe, misspelt := t.TempDir(), t.TempDir(), t.TempDir()
	write := func(folder, name, text string) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for i, block := range blocks {
		write(all, string(rune('a'+i))+"."+block[1], block[2])
	}
	if out := command(t, 0, "vet", "--strict", all); out != "" {
		t.Errorf("vet: %s", out)
	}

	juno := blocks[0][2]
	if n := strings.Count(juno, "\n"); n >= 30 {
		t.Errorf("the recipe has %d lines", n)
	}
	write(recipe, "juno.cue", juno)
	out := command(t, 0, "explain", "juno_request", "prompt=hi", "model=fast", "files=a.go", "files=b.go", "--format", "text", "--specs", recipe)
	if shown, _, _ := strings.Cut(out, "\n"); !strings.Contains(readme, "\n    "+shown+"\n") {
		t.Errorf("explain prints another line than the README: %s", shown)
	}
	out = command(t, 1, "vet", write(misspelt, "juno.cue", strings.Replace(juno, "each:", "eahc:", 1)))
	if shown := filepath.Base(strings.TrimSpace(out)); !strings.Contains(readme, "\n    "+shown+"\n") {
		t.Errorf("vet prints another line than the README: %s", shown)
	}
}

// command runs the gateway in this process; it must end with the code.
func command(t *testing.T, want int, args ...string) string {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	var out, errOut bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &out, &errOut); code != want {
		t.Fatalf("gateway %s: exit code %d\n%s%s", strings.Join(args, " "), code, out.String(), errOut.String())
	}
	return out.String()
}

// TestPagesAreComplete looks for every field of the language and every variable.
func TestPagesAreComplete(t *testing.T) {
	text := schema.Reference + engine.Operations
	fields := regexp.MustCompile(`(?m)\b([a-zA-Z]+)[?!]:`).FindAllStringSubmatch(schema.Text, -1)
	if len(fields) < 80 {
		t.Fatalf("%d fields in the schema", len(fields))
	}
	for _, f := range fields {
		if !regexp.MustCompile("`[^`\n]*\\b" + f[1] + "\\b[^`\n]*`").MatchString(text) {
			t.Errorf("no page has the field %s", f[1])
		}
	}
	for _, v := range load.Variables {
		if !strings.Contains(text, "`"+v.Name+"`") || !strings.Contains(text, "`"+strings.TrimPrefix(v.Key, "gateway.")+"`") {
			t.Errorf("no page has %s or %s", v.Name, v.Key)
		}
	}
}
