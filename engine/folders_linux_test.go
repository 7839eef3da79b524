package engine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/call"
)

// losses are ways in which a folder of specs, or all that it says, is lost. Each is given
// the folder, which is a link to another one, and the file in it.
var losses = map[string]func(h *specsHome, file string){
	"deleted":         func(h *specsHome, _ string) { h.remove(h.dir) },
	"moved away":      func(h *specsHome, _ string) { h.rename(h.dir, h.dir+".away") },
	"target deleted":  func(h *specsHome, _ string) { h.remove(h.dir + ".real") },
	"emptied":         func(h *specsHome, file string) { h.remove(file) },
	"another mounted": func(h *specsHome, _ string) { h.remove(h.dir); h.link(h.t.TempDir(), h.dir) },
	"no folder":       func(h *specsHome, _ string) { h.remove(h.dir); h.write(h.dir, "") },
	"file truncated":  func(h *specsHome, file string) { h.write(file, "") },
	"file dangles":    func(h *specsHome, file string) { h.remove(file); h.link("nowhere", file) },
	"file a folder": func(h *specsHome, file string) {
		h.remove(file)
		if err := os.Mkdir(file, 0o700); err != nil {
			h.t.Fatal(err)
		}
	},
	"file of all": func(h *specsHome, file string) {
		if err := os.Chmod(file, 0o666); err != nil {
			h.t.Fatal(err)
		}
	},
}

func (h *specsHome) remove(path string) {
	h.t.Helper()
	if err := os.RemoveAll(path); err != nil {
		h.t.Fatal(err)
	}
}

func (h *specsHome) link(to, path string) {
	h.t.Helper()
	if err := os.Symlink(to, path); err != nil {
		h.t.Fatal(err)
	}
}

// newLinked is a gateway over a link to a folder, which is the site's, the user's or a
// further one, and a further folder over it.
func newLinked(t *testing.T, which, text string) (h *specsHome, file, further string) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	further = t.TempDir()
	h = &specsHome{t: t}
	o := engine.Options{Specs: []string{further}, Environ: os.Environ(), Version: "test"}
	switch which {
	case "site":
		h.dir = filepath.Join(t.TempDir(), "site")
		usual := engine.SiteDir
		engine.SiteDir = h.dir
		t.Cleanup(func() { engine.SiteDir = usual })
	case "user":
		h.dir = engine.UserDir()
	default:
		h.dir = filepath.Join(t.TempDir(), "specs")
		o.Specs = []string{h.dir, further}
	}
	if err := os.MkdirAll(h.dir+".real", 0o700); err != nil {
		t.Fatal(err)
	}
	h.link(h.dir+".real", h.dir)
	file = filepath.Join(h.dir, "a.cue")
	h.write(file, text)
	var diags any
	if h.Engine, diags = engine.Open(o); h.Engine == nil {
		t.Fatal(diags)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h, file, further
}

const narrowing = `
gateway: approvals: {enforce: true, policy: "strict", danger: "deny"}
policy: strict: deny: ["mine"]
risk: mine: {when: "prompt == 'x'", score: 1}
`

// TestWhatNarrowsOutlivesItsFolder, however it is lost, until it is there again or the
// gateway is started anew. gateway_status says so.
func TestWhatNarrowsOutlivesItsFolder(t *testing.T) {
	for _, which := range []string{"site", "user", "further"} {
		for name, lose := range losses {
			t.Run(which+"/"+name, func(t *testing.T) {
				h, file, further := newLinked(t, which, narrowing)
				inForce := h.Catalog().Digest()
				lose(h, file)
				for range 2 {
					if h.Reload() || h.Catalog().Digest() != inForce {
						t.Fatalf("what narrowed is gone: %+v", h.Status())
					}
				}
				s := h.Status()
				if s.Failed == nil && (len(s.Lost) != 1 || s.Lost[0].Folder != h.dir) {
					t.Errorf("nothing is said: %+v", s)
				}
				if s.Failed == nil {
					r := h.Tools.Call(t.Context(), call.Request{Tool: "gateway_status", Args: json.RawMessage(`{}`)})
					if r.IsError || !strings.Contains(r.Text[0], "Nothing is left of the folder "+h.dir) {
						t.Errorf("%+v", r)
					}
					// Other edits are in force.
					h.write(filepath.Join(further, "b.cue"), `gateway: jobs: syncMs: 1234`)
					if !h.Reload() || h.Catalog().Settings.Jobs.SyncMs != 1234 || !h.Catalog().Settings.Approvals.Enforce || len(h.Status().Lost) != 1 || !h.Status().Lost[0].Since.Equal(s.Lost[0].Since) {
						t.Errorf("another edit: %+v", h.Status())
					}
				}
				h.remove(h.dir)
				h.remove(h.dir + ".real")
				if err := os.Mkdir(h.dir, 0o700); err != nil {
					t.Fatal(err)
				}
				h.write(file, narrowing+"\n")
				h.Reload()
				if s := h.Status(); len(s.Lost) != 0 || s.Failed != nil || !h.Catalog().Settings.Approvals.Enforce {
					t.Errorf("it is there again: %+v", s)
				}
				h.write(file, "gateway: approvals: enforce: false")
				if !h.Reload() || h.Catalog().Settings.Approvals.Enforce {
					t.Errorf("an edit of what is there: %+v", h.Status())
				}
			})
		}
	}
}

// TestAPersonAcceptsAnEmptyFolder, but not one that is not there.
func TestAPersonAcceptsAnEmptyFolder(t *testing.T) {
	h, file, _ := newLinked(t, "user", narrowing)
	h.rename(h.dir, h.dir+".away")
	h.Reload()
	h.Accept()
	if h.Reload() || !h.Catalog().Settings.Approvals.Enforce || len(h.Status().Lost) != 1 {
		t.Fatalf("accepted: %+v", h.Status())
	}
	h.rename(h.dir+".away", h.dir)
	h.remove(file)
	if h.Reload() || len(h.Status().Lost) != 1 {
		t.Fatalf("nobody has accepted it: %+v", h.Status())
	}
	h.Accept()
	if !h.Reload() || h.Catalog().Settings.Approvals.Enforce || len(h.Status().Lost) != 0 {
		t.Fatalf("a person accepted it: %+v", h.Status())
	}
}

// TestAFolderThatNarrowsNothingMayGo.
func TestAFolderThatNarrowsNothingMayGo(t *testing.T) {
	h, _, further := newLinked(t, "user", `cli: acme: {bin: "acme", argv: []}`)
	h.write(filepath.Join(further, "b.cue"), `cli: zeta: {bin: "zeta", argv: []}`) // widens, at the same time
	h.remove(h.dir)
	if _, there := h.Catalog().CLI("acme"); !h.Reload() || !there || len(h.Status().Lost) != 0 {
		t.Errorf("%+v", h.Status())
	}
	if _, there := h.Catalog().CLI("acme"); there {
		t.Error("it is still there")
	}
}

// TestABrokenLinkIsNotAMissingFolder: somebody meant the specs to be there.
func TestABrokenLinkIsNotAMissingFolder(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	if err := os.MkdirAll(engine.StateDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", engine.UserDir()); err != nil {
		t.Fatal(err)
	}
	if e, diags := engine.Open(engine.Options{}); e != nil || len(diags) != 1 || !strings.Contains(diags[0].Message, "broken symbolic link "+engine.UserDir()) {
		t.Errorf("%v", diags)
	}
}
