package job

import (
	"encoding/json"
	"maps"
	"regexp"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
)

// Cleaner takes secrets out of what a CLI printed, before it goes where others read it:
// the values that its environment holds now, what looks like a key or a token whoever
// it belongs to, and the name of the home folder.
func (r *Runner) Cleaner(c *catalog.Catalog, cli *catalog.CLI) (func(string) string, error) {
	environ, err := r.Host.Environ(EnvironmentOf(c, cli, maps.Collect(cli.Env.Set.All()), ""))
	if err != nil {
		return nil, err
	}
	known := secretsOf(environ)
	for _, secret := range known.secrets { // as it stands in a record
		if quoted, err := json.Marshal(secret); err == nil && string(quoted[1:len(quoted)-1]) != secret {
			known.secrets = append(known.secrets, string(quoted[1:len(quoted)-1]))
		}
	}
	pairs := []string{}
	for _, secret := range known.secrets {
		pairs = append(pairs, secret, redacted)
	}
	values := strings.NewReplacer(pairs...)
	home := host.Home()
	return func(text string) string {
		text = values.Replace(text)
		for _, shape := range keyShapes {
			text = shape.ReplaceAllString(text, redacted)
		}
		if len(home) > 1 {
			text = strings.ReplaceAll(text, home, "~")
		}
		return text
	}, nil
}

// redacted stands for a secret.
const redacted = "[redacted]"

// keyShapes are how keys and tokens look that vendors issue: a prefix that says what it
// is and a long random part, signed tokens, and what stands behind "Bearer".
var keyShapes = []*regexp.Regexp{
	regexp.MustCompile(`\b(?:sk|pk|rk|gh[a-z]|glpat|key|tok|token|api|npm|hf|xox[a-z]|github_pat|[a-z]{2,4}ai)[-_][A-Za-z0-9_-]{16,}`),
	regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{20,}`),
	regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`),
	regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?`),
	regexp.MustCompile(`(?i)\bbearer +[A-Za-z0-9._~+/=-]{12,}`),
	regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\\\s]*(?:-----END [A-Z ]*PRIVATE KEY-----)?`),
	regexp.MustCompile(`://[^/\s:@"]+:[^/\s@"]+@`),
}
