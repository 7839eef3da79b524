package versionpatch

import (
	"encoding/json"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

func TestOverlay(t *testing.T) {
	for _, c := range [][3]string{
		{`{"a":1,"b":{"c":2,"d":[1,2]}}`, `{"b":{"d":[3],"e":{}},"f":"<"}`, `{"a":1,"b":{"c":2,"d":[3],"e":{}},"f":"<"}`},
		{`{"a":{"b":1}}`, `{"a":"x"}`, `{"a":"x"}`},
		{`{"a":"x"}`, `{"a":{"b":1}}`, `{"a":{"b":1}}`},
		{`{"z":1,"a":2}`, `{"a":3,"y":4}`, `{"z":1,"a":3,"y":4}`},
		{`{"a":1}`, `{}`, `{"a":1}`},
		{`{"env":{"drop":["A"],"pass":["A"]},"risk":[{"when":"x","score":3}]}`, `{"env":{"drop":["B","A"],"pass":["B"]},"risk":[{"when":"x","score":2}]}`, `{"env":{"drop":["A","B"],"pass":["B"]},"risk":[{"when":"x","score":3}]}`},
		{`{"env":{"drop":["A"]}}`, `{"env":{"drop":null}}`, `{"env":{"drop":null}}`},
	} {
		var got, want any
		out := overlay(json.RawMessage(c[0]), json.RawMessage(c[1]), []string{"cli", "x"})
		if json.Unmarshal(out, &got) != nil || json.Unmarshal([]byte(c[2]), &want) != nil || string(text.MustJSON(got)) != string(text.MustJSON(want)) {
			t.Errorf("%s over %s: %s", c[1], c[0], out)
		}
		if c[0] == `{"z":1,"a":2}` && string(out) != c[2] {
			t.Errorf("order: %s", out)
		}
	}
}
