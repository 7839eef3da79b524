package load

import (
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
)

// versions holds what each patch for a range of versions makes of a CLI against the
// schema. A patch alone is no CLI: what it leaves out stands below it.
func (l *loader) versions(path []string, cli *node) {
	patches := cli.fields["versions"]
	if path[0] != "cli" || patches == nil {
		return
	}
	for _, key := range patches.keys {
		merged := cli.clone()
		merged.drop("versions")
		laid := &report{}
		merged = over(merged, patches.fields[key].clone(), append(path[:len(path):len(path)], "versions", key), laid)
		for _, d := range laid.list {
			if d.Code == codeLess {
				l.r.list = append(l.r.list, d)
			}
		}
		root := newObject(pos{}, pos{})
		root.set(path[0], newObject(pos{}, pos{}))
		root.fields[path[0]].set(path[1], merged)
		found := &report{}
		checker{r: found, root: root, excused: l.excused}.check(root, fileShape(), nil)
		if len(found.list) == 0 {
			verify([][]string{path}, root, l.memory, found)
		}
		own := strings.Join(path, ".")
		for _, d := range found.list {
			rest, _ := strings.CutPrefix(d.Path, own)
			d.Path = own + ".versions." + key + rest
			l.r.list = append(l.r.list, d)
			if d.Severity == diagnostic.Error {
				l.r.fail(append(path[:len(path):len(path)], "versions", key))
			}
		}
	}
}
