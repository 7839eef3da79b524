package author

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
)

var three = []diagnostic.Diagnostic{
	{File: "specs/x y.cue", Line: 3, Col: 7, Path: "cli.x.bin", Code: "value", Severity: diagnostic.Error, Message: "must be 100% so\nor other", Hint: "try a,b"},
	{File: "specs/x y.cue", Line: 9, Col: 1, Path: "cli.x", Code: "nothing-deleted", Severity: diagnostic.Warning, Message: "m"},
	{File: "env:A", Code: "value", Severity: diagnostic.Error, Message: "m"},
}

func TestPrint(t *testing.T) {
	for format, want := range map[string]string{
		"text": `specs/x y.cue:3:7: cli.x.bin: must be 100% so\x0aor other (try a,b)
specs/x y.cue:9:1: cli.x: warning: m
env:A: m
`,
		"github": `::error file=specs/x y.cue,line=3,col=7,title=value::cli.x.bin: must be 100%25 so\x0aor other (try a,b)
::warning file=specs/x y.cue,line=9,col=1,title=nothing-deleted::cli.x: m
::error file=env%3AA,title=value::m
`,
	} {
		var b bytes.Buffer
		if err := Print(&b, three, format); err != nil || b.String() != want {
			t.Errorf("%s: %v\n%s", format, err, b.String())
		}
	}
	if err := Print(&bytes.Buffer{}, nil, "xml"); err == nil || err.Error() != `unknown format "xml": want text, json, github or sarif` {
		t.Error(err)
	}
}

func TestPrintJSON(t *testing.T) {
	var b bytes.Buffer
	var back []diagnostic.Diagnostic
	if err := Print(&b, three, "json"); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || len(back) != 3 || back[0] != three[0] {
		t.Errorf("%v %v", err, back)
	}
	b.Reset()
	if err := Print(&b, nil, "json"); err != nil || strings.TrimSpace(b.String()) != "[]" {
		t.Errorf("no diagnostics: %v %q", err, b.String())
	}
}

func TestPrintSARIF(t *testing.T) {
	var b bytes.Buffer
	if err := Print(&b, three, "sarif"); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || len(run.Results) != 3 || len(run.Tool.Driver.Rules) != 2 {
		t.Fatalf("%+v", log)
	}
	first, last := run.Results[0], run.Results[2]
	if at := first.Locations[0].Physical; at.Artifact.URI != "specs/x%20y.cue" || *at.Region != (sarifRegion{3, 7}) {
		t.Errorf("%+v", at)
	}
	if first.Level != "error" || run.Results[1].Level != "warning" || first.RuleID != "value" {
		t.Errorf("%+v", run.Results)
	}
	if at := last.Locations[0].Physical; at.Region != nil || at.Artifact.URI != "./env:A" /* env: would be a scheme */ {
		t.Errorf("%+v", at)
	}
}
