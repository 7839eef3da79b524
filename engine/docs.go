package engine

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/configedit"
	"github.com/llm-cli-gateway/gateway/engine/lang/reference"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// Docs is the reference of a catalog as Markdown.
func Docs(cat *catalog.Catalog) string {
	calls := []string{}
	for _, cli := range cat.CLIs {
		calls = append(calls, cli.Tool(), cli.AsyncTool())
	}
	var own []catalog.Tool
	all := &tools.Tools{Profile: tools.Full, Catalog: func() *catalog.Catalog { return cat }}
	for _, o := range all.Offers() {
		if !slices.Contains(calls, o.Name) {
			own = append(own, o.Tool)
		}
	}
	return reference.Write(cat, own)
}

// DocsFile is the change of the reference in a folder. A file of that name that was
// not made here is not touched.
func DocsFile(dir string, catalog *catalog.Catalog) (configedit.Change, error) {
	name := filepath.Join(dir, "README.md")
	change, err := configedit.Open(name)
	if err == nil && change.Exists && !bytes.Contains(change.Old, []byte(reference.Mark)) {
		err = fmt.Errorf("%s was not written by gateway docs and is not overwritten; choose another folder", name)
	}
	change.New = []byte(Docs(catalog))
	return change, err
}
