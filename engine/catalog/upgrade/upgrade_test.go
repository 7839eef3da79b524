package upgrade

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

const upgradable = `{"latest":["update"],"target":{"bin":"/opt/get.exe","argv":["acme@{target}"]},"where":{
	"npm":{"path":"^(?P<prefix>.+)/lib/node_modules/(?P<name>[^/]+)","latest":["update"],"target":{"bin":"npm","argv":["install","--prefix={prefix}","{name}@{target}"]},"note":"of npm"},
	"brew":{"path":"/Cellar/","latest":{"bin":"brew","argv":["upgrade","acme"]}},
	"project":{"path":"/node_modules/","note":"of a project"}}}`

// compiled is the compiled form of a section that must be without problems.
func compiled(t *testing.T, text string) *Ways {
	t.Helper()
	var spec lang.UpgradeSpec
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		t.Fatal(err)
	}
	ps := lang.NewProblems()
	ways := Compile(spec, ps)
	if len(*ps.List) > 0 {
		t.Fatalf("the section has problems: %v", *ps.List)
	}
	return ways
}

func TestUpgrade(t *testing.T) {
	acme := compiled(t, upgradable)
	for _, c := range []struct{ file, target, want string }{
		{"", "latest", "self-update: acme update"},
		{"", "1.2.3", "get: /opt/get.exe acme@1.2.3"},
		{"/usr/bin/acme", "beta", "get: /opt/get.exe acme@beta"},
		{"/a b/lib/node_modules/acme/cli.js", "latest", "self-update: acme update (of npm)"},
		{"/a b/lib/node_modules/acme/cli.js", "2.0.0-rc.1+5", "npm: npm install --prefix=/a b acme@2.0.0-rc.1+5 (of npm)"},
		{"/a/lib/node_modules/-acme/cli.js", "2", `problem: "-acme@2", from the path /a/lib/node_modules/-acme/cli.js, would be read as an option`},
		{"/usr/Cellar/acme/1/acme", "latest", "brew: brew upgrade acme"},
		{"/usr/Cellar/acme/1/acme", "2", `problem: the spec of Acme, for an installation of kind "brew" (/usr/Cellar/acme/1/acme), knows no way to a given version (2), only to latest`},
		{"/p/node_modules/.bin/acme", "latest", `problem: the spec of Acme, for an installation of kind "project" (/p/node_modules/.bin/acme), knows no way to upgrade it`},
	} {
		up, problem := acme.Plan("Acme", c.file, c.target)
		got := up.Strategy + ": " + strings.Join(append([]string{up.Bin}, up.Args...), " ")
		if up.Bin == "" {
			got = up.Strategy + ": acme " + strings.Join(up.Args, " ")
		}
		if up.Note != "" {
			got += " (" + up.Note + ")"
		}
		if problem != "" {
			got = "problem: " + problem
		}
		if got != c.want {
			t.Errorf("%s to %s:\n%s, want\n%s", c.file, c.target, got, c.want)
		}
	}
	none := compiled(t, `{}`)
	if _, problem := none.Plan("acme", "/bin/acme", "latest"); problem != "the spec of acme knows no way to upgrade it" {
		t.Error(problem)
	}
	// What serves for any version serves for the latest.
	npm := compiled(t, `{"target":{"bin":"npm","argv":["i","acme@{target}"]}}`)
	if up, problem := npm.Plan("acme", "", "latest"); problem != "" || !slices.Equal(up.Args, []string{"i", "acme@latest"}) {
		t.Error(up, problem)
	}
}

func TestTargets(t *testing.T) {
	for _, good := range []string{"latest", "1", "1.2", "1.2.3", "v1.2.3", "1.2.3-rc.1", "1.0.0+build_5", "beta", "next-12", "0.0.1790142911-g7618fb", strings.Repeat("a", 64)} {
		if wrong := TargetProblem(good); wrong != "" {
			t.Errorf("%s: %s", good, wrong)
		}
	}
	for _, bad := range []string{
		"", " ", "-g", "--foo", "--registry=http://x", "../../x", "./x", "/etc", "~", "a/b", `a\b`, "1..2", "1.", ".1", "a b", "a\n", "\na", "a\x00", "a;b", "a&b", "$(x)", "`x`",
		"^1.2", ">=1", "1.x||2", "*", "npm:other@1", "other@1", "@scope/other", "file:x", "git+ssh://x", "http://x", "https:x", "%2e%2e", "\u00e9", "１", strings.Repeat("a", 65),
	} {
		if TargetProblem(bad) == "" {
			t.Errorf("%q passes", bad)
		}
	}
	if text := TargetProblem(strings.Repeat("-", 5000)); len(text) > 300 {
		t.Errorf("%d bytes", len(text))
	}
}
