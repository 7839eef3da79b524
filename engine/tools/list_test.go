//go:build unix

package tools

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/check"
)

// set changes the settings of the listing.
func (t *Tools) set(s lang.ToolsSpec) {
	changed := *t.Catalog()
	changed.Settings.Tools = s
	t.Catalog = func() *catalog.Catalog { return &changed }
}

func names(clis []*catalog.CLI) (out []string) {
	for _, cli := range clis {
		out = append(out, cli.Name)
	}
	return out
}

func TestWhichAreListed(t *testing.T) {
	all := []string{"acme", "zeta", "mira", "gone"}
	for name, test := range map[string]struct {
		settings  lang.ToolsSpec
		none, bad bool // no program is there; the environment cannot be made
		want      []string
	}{
		"found":                       {lang.ToolsSpec{}, false, false, []string{"acme", "zeta", "mira"}},
		"found, not the fallback":     {lang.ToolsSpec{Fallback: []string{"gone"}}, false, false, []string{"acme", "zeta", "mira"}},
		"all":                         {lang.ToolsSpec{List: lang.Shown{lang.Everything}}, true, false, all},
		"named":                       {lang.ToolsSpec{List: lang.Shown{"gone", "zeta"}}, false, false, []string{"zeta", "gone"}},
		"named, in vain":              {lang.ToolsSpec{List: lang.Shown{"nobody"}}, false, false, nil},
		"none named":                  {lang.ToolsSpec{List: lang.Shown{}, Fallback: []string{"acme"}}, false, false, nil},
		"none found":                  {lang.ToolsSpec{Fallback: []string{"mira", "gone", "nobody"}}, true, false, []string{"mira", "gone"}},
		"none found, no fallback":     {lang.ToolsSpec{}, true, false, all},
		"none found, fallback absent": {lang.ToolsSpec{Fallback: []string{"nobody"}}, true, false, all},
		"nobody can say":              {lang.ToolsSpec{Fallback: []string{"mira"}}, false, true, all},
	} {
		t.Run(name, func(t *testing.T) {
			tools := newTools(t)
			tools.set(test.settings)
			if test.none {
				tools.Runner.Host = host.New([]string{"PATH=" + t.TempDir()}, nil, "")
			}
			if test.bad {
				tools.Runner.Host = host.New(nil, nil, "/there/is/no/such/file")
			}
			if got := names(tools.Listed()); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			listed := []string{}
			for _, tool := range tools.List() {
				listed = append(listed, tool.Name)
			}
			for _, o := range tools.Offers() {
				name, of := strings.CutSuffix(strings.TrimSuffix(o.Name, catalog.AsyncSuffix), "_request")
				if want := !of || slices.Contains(test.want, name); (o.Why == "") != want || slices.Contains(listed, o.Name) != want {
					t.Errorf("%s: %q", o.Name, o.Why)
				}
			}
		})
	}
}

func TestCompactListing(t *testing.T) {
	tools := newTools(t)
	tools.Profile = Compact
	size := map[string]int{}
	for _, tool := range tools.List() {
		size[tool.Name] = len(tool.Listing())
		for _, wrong := range check.Lint(tool) {
			t.Errorf("%s: %s", tool.Name, wrong)
		}
		calls, input := strings.Contains(tool.Name, "_request"), string(tool.Input)
		if tool.Output != nil || tool.Title != "" || calls != strings.Contains(input, `"async":{"type":"boolean"`) || calls == strings.Contains(input, "additionalProperties") {
			t.Errorf("%s: %s", tool.Name, tool.Listing())
		}
	}
	for _, name := range []string{"acme_request_async", "gone_request", "gone_request_async", ApprovalList, CLIVersions, CLIUpgrade} {
		if size[name] > 0 {
			t.Errorf("%s is listed", name)
		}
		if r := tools.call(t, name, `{"nobody": 1}`); !r.IsError || !strings.Contains(r.Text[0], "unknown parameter") {
			t.Errorf("%s does not answer: %q", name, r.Text)
		}
	}
	tools.Profile = Full
	for _, tool := range tools.List() {
		if n := size[tool.Name]; n > 0 && n > len(tool.Listing())*2/3 {
			t.Errorf("%s has %d bytes in the compact profile, %d in the full one", tool.Name, n, len(tool.Listing()))
		}
	}
	tools.Profile = ""
	tools.set(lang.ToolsSpec{Profile: Compact})
	if n := len(tools.List()); n != len(size) {
		t.Errorf("by the setting %d tools are listed, by the flag %d", n, len(size))
	}
}

// TestAsync: with async one tool does for two, whatever is listed.
func TestAsync(t *testing.T) {
	tools := newTools(t)
	r := tools.call(t, "acme_request", `{"prompt":"x","async":true}`)
	var got struct{ Status, JobID, Response string }
	if err := json.Unmarshal(r.Structured, &got); err != nil || r.IsError || !r.Bare || got.JobID == "" {
		t.Fatalf("%v %+v %s", err, r, r.Structured)
	}
	done := tools.call(t, JobResult, `{"jobId":"`+got.JobID+`","waitMs":30000}`)
	if done.IsError || done.Response == "" {
		t.Errorf("%+v", done)
	}
	if r := tools.call(t, "acme_request", `{"prompt":"y","async":false}`); r.IsError || r.Response == "" {
		t.Errorf("%+v", r)
	}
	if r := tools.call(t, "acme_request", `{"prompt":"y","async":"yes"}`); !r.IsError || !strings.Contains(r.Text[0], "async: must be true or false") {
		t.Errorf("%q", r.Text)
	}
}
