package redaction

import (
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
	"github.com/llm-cli-gateway/gateway/engine/secret"
)

func TestCleaner(t *testing.T) {
	t.Setenv("HOME", "/home/somebody")
	h := host.New([]string{"ACME_TOKEN=a \"quoted\" secret", "ACME_KEY=plain-secret-value", "ACME_MODE=ordinary-value", "OTHER_KEY=not-passed-on"}, nil, "")
	clean, err := OfOutput(h, &catalog.Catalog{Secrets: secret.Compile(langtest.Secrets(t), true, lang.NewProblems())}, &catalog.CLI{CLISpec: lang.CLISpec{Env: lang.EnvSpec{Pass: []string{"ACME_*"}}}})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`a "quoted" secret`:                      "[redacted]",
		`{"x":"a \"quoted\" secret"}`:            `{"x":"[redacted]"}`,
		"plain-secret-value!":                    "[redacted]!",
		"ordinary-value":                         "ordinary-value",
		"key sk-abcdefghijklmnop0123":            "key [redacted]",
		"ghp_abcdefghijklmnopqrst":               "[redacted]",
		"Authorization: Bearer abcdefgh.ijklm":   "Authorization: [redacted]",
		"eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl": "[redacted]",
		`{"k":"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----","after":1}`: `{"k":"[redacted]","after":1}`,
		`{"k":"-----BEGIN PRIVATE KEY-----\nMIIE","after":1}`:                                    `{"k":"[redacted]","after":1}`,
		"https://me:password@host/":         "https[redacted]host/",
		"/home/somebody/project":            "~/project",
		"task-force and risk-averse":        "task-force and risk-averse",
		"c39702b8-9eb7-4a05-866b-6f70eab7c": "c39702b8-9eb7-4a05-866b-6f70eab7c",
	} {
		if got := clean(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if long := strings.Repeat("sk-", 100_000); clean(long) == long {
		t.Error("a long one is kept")
	}
}
