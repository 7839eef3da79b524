// Package specs carries the built-in specs: whatever spec files stand beside this
// one. A file added here is a CLI added to the gateway; nothing in Go names it.
package specs

import "embed"

// FS holds the spec files of this folder. A pattern for each ending would not build
// while no file has that ending, so the whole folder is taken; who reads it picks by
// ending.
//
//go:embed *
var FS embed.FS

// Snapshot is the decoded form of the specs, or empty. It is rewritten by the tests
// of engine/lang/load when GATEWAY_UPDATE=1, and does nothing when it is stale.
func Snapshot() []byte {
	data, err := FS.ReadFile("snapshot.json")
	if err != nil {
		return nil
	}
	return data
}
