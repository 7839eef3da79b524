package author

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Formats are those that Print knows.
var Formats = []string{"text", "json", "github", "sarif"}

// Print writes diagnostics: one line each (text), an array (json), commands that
// annotate a change on GitHub (github), or a SARIF 2.1.0 log (sarif).
func Print(w io.Writer, diags []diagnostic.Diagnostic, format string) error {
	switch format {
	case "", "text":
		for _, d := range diags {
			if _, err := fmt.Fprintln(w, d); err != nil {
				return err
			}
		}
		return nil
	case "json":
		if diags == nil {
			diags = []diagnostic.Diagnostic{}
		}
		return encode(w, diags)
	case "github":
		for _, d := range diags {
			if _, err := fmt.Fprintln(w, annotation(d)); err != nil {
				return err
			}
		}
		return nil
	case "sarif":
		return encode(w, sarif(diags))
	}
	return fmt.Errorf("unknown format %q: want %s", format, text.Or(Formats))
}

func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// annotation is a workflow command. What is special to its syntax is percent-encoded.
func annotation(d diagnostic.Diagnostic) string {
	value := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	place := "file=" + property.Replace(filepath.ToSlash(d.File))
	if d.Line > 0 {
		place += fmt.Sprintf(",line=%d,col=%d", d.Line, d.Col)
	}
	command := d.Severity
	if command == diagnostic.Note {
		command = "notice"
	}
	d.Severity, place = diagnostic.Error, "::"+command+" "+place
	return fmt.Sprintf("%s,title=%s::%s", place, property.Replace(d.Code), value.Replace(d.Text()))
}

// The part of SARIF that a viewer needs.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID string `json:"id"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		Line int `json:"startLine"`
		Col  int `json:"startColumn"`
	}
)

func sarif(diags []diagnostic.Diagnostic) sarifLog {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "gateway", Rules: []sarifRule{}}}, Results: []sarifResult{}}
	known := map[string]bool{}
	for _, d := range diags {
		if !known[d.Code] {
			known[d.Code] = true
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{d.Code})
		}
		at := sarifPhysical{Artifact: sarifArtifact{uri(d.File)}}
		if d.Line > 0 {
			at.Region = &sarifRegion{d.Line, d.Col}
		}
		level := d.Severity
		d.Severity = diagnostic.Error // the level says it
		run.Results = append(run.Results, sarifResult{d.Code, level, sarifMessage{d.Text()}, []sarifLocation{{at}}})
	}
	return sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}
}

// uri is a file name as a URI reference.
func uri(name string) string {
	u := url.URL{Path: filepath.ToSlash(name)}
	return u.String()
}
