package catalog

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

func TestRisks(t *testing.T) {
	cli := compiled(t, []byte(`{"bin":"acme","argv":["{params}"],
		"params":{"tools":{"doc":"x","type":"list","flag":"--tools"},"yolo":{"doc":"x","type":"bool","flag":"--yolo"},"turns":{"doc":"x","type":"int","flag":"--turns","default":9}},
		"risk":[{"id":"sh","when":"any(tools, # startsWith 'sh')","score":25,"reason":"runs commands"},{"id":"yolo","when":"yolo","score":60},
			{"id":"long","when":"turns > 5 && !given.turns","score":5},{"id":"odd","when":"tools[3] == 'x'","score":1},{"id":"rm","when":"prompt contains 'rm -rf' && mode == 'new'","score":9}]}`))
	catalog := &Catalog{CLIs: []*CLI{cli}}
	for args, want := range map[string]string{
		// Of fewer than four tools the odd rule cannot say anything: it is taken to hold.
		`{"prompt":"hi"}`: "long odd",
		`{"prompt":"hi","tools":["a","sh -c"],"turns":9}`:                  "sh odd",
		`{"prompt":"do rm -rf","yolo":true,"turns":1}`:                     "yolo odd rm",
		`{"prompt":"hi","yolo":false,"tools":["a","b","c","d"],"turns":1}`: "",
		`{"prompt":"hi","yolo":false,"tools":["a","b","c","x"],"turns":1}`: "odd",
	} {
		call, violations := cli.Bind(json.RawMessage(args), nil, langtest.IDs())
		if violations != nil {
			t.Fatal(violations)
		}
		found := []string{}
		for _, hit := range catalog.Risks(call) {
			found = append(found, hit.ID)
		}
		if got := strings.Join(found, " "); got != want {
			t.Errorf("%s: got %q, want %q", args, got, want)
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{100_000: "100k", 1_000_000: "1,000k", 1500: "1,500", 7: "7"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q, want %q", n, got, want)
		}
	}
}
