package engine

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/configedit"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/evaluate"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// Format returns the changes that bring the spec files at the paths, which are files or
// folders, into canonical form; with fix, also of the newest version of the language. Files that
// cannot be read are among the diagnostics and not among the changes.
func Format(ctx context.Context, paths []string, fix bool) (changes []configedit.Change, diags []diagnostic.Diagnostic) {
	process := evaluate.New(ctx, nil)
	defer process.Close()
	for _, path := range paths {
		folder := ""
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			folder = path
		}
		layer, found := read(path)
		diags = append(diags, slices.DeleteFunc(found, func(d diagnostic.Diagnostic) bool { return d.Code == specfiles.CodeLocked })...)
		evaluation := load.Evaluation{Run: process.Evaluate, Layers: []load.Layer{layer}}
		for _, file := range layer.Files {
			name := path
			if folder != "" {
				name = filepath.Join(folder, filepath.Base(file.Name))
			}
			text, found := load.Format(file, fix, evaluation)
			diags = append(diags, found...)
			if found != nil {
				continue
			}
			change, err := configedit.Text(name, file.Data, text)
			if err != nil {
				diags = append(diags, diagnostic.Diagnostic{File: file.Name, Code: "unreadable", Severity: diagnostic.Error, Message: err.Error()})
				continue
			}
			change.Name = file.Name
			changes = append(changes, change)
		}
	}
	return changes, diagnostic.Sort(diags)
}
