package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// BenchmarkReload is the way of one edit among n files of a user from the file to the new
// listing of the tools, without the wait for the end of the edit.
func BenchmarkReload(b *testing.B) {
	for _, n := range []int{4, 20, 50, 200, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.Setenv("HOME", b.TempDir())
			dir := b.TempDir()
			text := func(i int, alias string) []byte {
				var params strings.Builder
				for p := range 20 {
					fmt.Fprintf(&params, "p%d: {doc: \"Parameter %d of the tool\", flag: \"--p-%d\"}\n", p, p, p)
				}
				return fmt.Appendf(nil, "cli: c%d: {bin: \"echo\", argv: [\"{params}\"], models: aliases: fast: %q, params: {model: {doc: \"Model\", flag: \"--model\"}\n%s}}\n", i, alias, params.String())
			}
			save := func(i int, alias string) {
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("c%d.cue", i)), text(i, alias), 0o600); err != nil {
					b.Fatal(err)
				}
			}
			for i := range n {
				save(i, "mini")
			}
			e, diags := engine.Open(engine.Options{Specs: []string{dir}, Environ: os.Environ(), Version: "test", Profile: tools.Full})
			if e == nil {
				b.Fatal(diags)
			}
			defer e.Close()
			e.Tools.List()
			for i := 0; b.Loop(); i++ {
				save(n/2, fmt.Sprint("mini", i))
				if !e.Reload() {
					b.Fatal(e.Status())
				}
				e.Tools.List()
			}
		})
	}
}
