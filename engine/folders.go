package engine

import (
	"context"
	"slices"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang/compat"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/engine/tools"
)

// folder is a folder of specs as it was read.
type folder struct {
	dir      string
	layer    load.Layer
	found    []diagnostic.Diagnostic
	missing  bool // there is no such folder
	optional bool // which is fine
}

// readFolders reads all folders that a gateway reads specs from, lowest first.
func readFolders(further []string) (all []folder) {
	for i, dir := range folders(further) {
		f := folder{dir: dir, layer: load.Layer{Name: dir}}
		switch i {
		case 0:
			f.layer, f.optional = load.Layer{Name: "site", Site: true, Afresh: true}, true
		case 1:
			f.layer, f.optional = load.Layer{Name: "user"}, true
		}
		f.layer.Files, f.found = readDir(dir)
		f.missing = len(f.found) == 1 && f.found[0].Code == specfiles.CodeNoFolder
		all = append(all, f)
	}
	return all
}

// layered are the layers of folders, over that of the binary, and what is wrong with them.
func layered(folders []folder) ([]load.Layer, []diagnostic.Diagnostic) {
	layers, diags := []load.Layer{builtIn()}, []diagnostic.Diagnostic(nil)
	for _, f := range folders {
		if !f.missing || !f.optional {
			layers, diags = append(layers, f.layer), append(diags, f.found...)
		}
	}
	return layers, diags
}

func layers(further []string) ([]load.Layer, []diagnostic.Diagnostic) {
	return layered(readFolders(further))
}

// says reports whether there is anything in the files of a folder.
func (f folder) says() bool {
	return slices.ContainsFunc(f.layer.Files, func(file specfiles.File) bool { return len(file.Data) > 0 })
}

// gone reports whether nothing is left of a folder that said something: it was deleted,
// emptied or unmounted. Whoever meant that as an edit is not to be told from an accident.
func (f folder) gone(before folder) bool {
	return before.says() && !f.says() && (f.missing || len(f.found) == 0)
}

// compileKept compiles what folders hold. Where nothing is left of one, and that widens what
// calls may do, the gateway goes on with what the folder said, until it says something
// again, or a person accepts that it is empty: nobody can accept what a folder says that is
// not there. It gives the folders that were compiled, and those that are lost.
func (e *Engine) compileKept(ctx context.Context, now []folder, accepted bool) (res load.Result, used []folder, lost []tools.Lost) {
	kept := slices.Clone(now)
	for i, f := range now {
		before := e.loads.folders[i]
		if !f.gone(before) || accepted && !f.missing {
			continue
		}
		if accepted {
			e.logger().Warn("a folder of specs that is not there cannot be accepted as empty; make an empty one, or start the gateway again", "folder", f.dir)
		}
		kept[i] = before
		lost = append(lost, tools.Lost{Folder: f.dir, Since: e.lostSince(f.dir)})
	}
	layers, found := layered(kept)
	res = e.compile(ctx, layers, found)
	if len(lost) == 0 {
		return res, kept, nil
	}
	layers, found = layered(now)
	without := e.compile(ctx, layers, found)
	if res.Catalog != nil && without.Catalog != nil && len(widenings(compat.Diff(res.Catalog, without.Catalog))) == 0 {
		return without, now, nil
	}
	return res, kept, lost
}

// lostSince is the time at which a folder was found to be lost.
func (e *Engine) lostSince(dir string) time.Time {
	for _, lost := range e.Status().Lost {
		if lost.Folder == dir {
			return lost.Since
		}
	}
	e.logger().Warn("nothing is left of a folder of specs; what it said stays in effect until it is restored, or the gateway is started again", "folder", dir)
	return time.Now()
}
