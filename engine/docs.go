package engine

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/manual"
	"github.com/llm-cli-gateway/gateway/engine/plan"
	"github.com/llm-cli-gateway/gateway/engine/setup"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// Docs is the reference of a catalog as Markdown.
func Docs(catalog *plan.Catalog) string {
	calls := []string{}
	for _, cli := range catalog.CLIs {
		calls = append(calls, cli.Tool(), cli.AsyncTool())
	}
	var own []plan.Tool
	all := &tools.Tools{Profile: tools.Full, Catalog: func() *plan.Catalog { return catalog }}
	for _, o := range all.Offers() {
		if !slices.Contains(calls, o.Name) {
			own = append(own, o.Tool)
		}
	}
	return manual.Write(catalog, own)
}

// DocsFile says what becomes of the reference in a folder. A file of that name that was
// not made here is not touched.
func DocsFile(dir string, catalog *plan.Catalog) (setup.Change, error) {
	name := filepath.Join(dir, "README.md")
	change, err := setup.Open(name)
	if err == nil && change.Exists && !bytes.Contains(change.Old, []byte(manual.Mark)) {
		err = fmt.Errorf("%s was not made by gateway docs, and is left alone; name another folder", name)
	}
	change.New = []byte(Docs(catalog))
	return change, err
}
