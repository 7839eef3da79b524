package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
)

// TestProgressOfRealOutput watches what the real programs printed, standard error
// first, line by line: "progress" holds each message that shows. The folder of a case
// names the CLI; GATEWAY_UPDATE=1 rewrites the messages.
func TestProgressOfRealOutput(t *testing.T) {
	catalog := builtIn(t).Catalog
	for _, pattern := range []string{"decode", "progress"} {
		names, err := filepath.Glob(filepath.Join("..", "testdata", pattern, "*", "*.txtar"))
		if err != nil || len(names) == 0 {
			t.Fatalf("no cases: %v", err)
		}
		for _, name := range names {
			folder := filepath.Base(filepath.Dir(name))
			t.Run(pattern+"/"+folder+"/"+strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
				cli, ok := catalog.CLI(folder)
				if !ok {
					t.Fatalf("no built-in spec is named like the folder %s", folder)
				}
				archive, err := txtar.ParseFile(name)
				if err != nil {
					t.Fatal(err)
				}
				files := map[string]string{}
				for _, f := range archive.Files {
					files[f.Name] = string(f.Data)
				}
				got := messages(cli, files["stderr"], files["stdout"])
				if got == files["progress"] {
					return
				}
				if os.Getenv("GATEWAY_UPDATE") == "" {
					t.Fatalf("got:\n%swant:\n%s", got, files["progress"])
				}
				archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "progress" })
				if got != "" {
					archive.Files = append(archive.Files, txtar.File{Name: "progress", Data: []byte(got)})
				}
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// messages are those that show while the streams are printed, one a line.
func messages(cli *catalog.CLI, stderr, stdout string) string {
	var b strings.Builder
	p, before := cli.Progress(), ""
	see := func(stream extract.Stream, text string) {
		for line := range strings.Lines(text) {
			p.Write(stream, []byte(line))
			if now := p.Tail(); now != before {
				fmt.Fprintln(&b, now)
				before = now
			}
		}
	}
	see(extract.Stderr, stderr)
	see(extract.Stdout, stdout)
	return b.String()
}
