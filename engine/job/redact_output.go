package job

import (
	"encoding/json"
	"maps"
	"regexp"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
)

// OutputRedactor returns a function that removes secrets from what a CLI printed, before
// others read it: the values of secrets in its environment, everything that looks like a
// key or a token, and the name of the home folder.
func (r *Runner) OutputRedactor(c *catalog.Catalog, cli *catalog.CLI) (func(string) string, error) {
	environ, err := r.Host.Environ(environment.OfCLI(c, cli, maps.Collect(cli.Env.Set.All()), ""))
	if err != nil {
		return nil, err
	}
	known := secretsOf(environ)
	for _, secret := range known.secrets { // as it is written in JSON
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
		for _, shape := range keyPatterns {
			text = shape.ReplaceAllString(text, redacted)
		}
		if len(home) > 1 {
			text = strings.ReplaceAll(text, home, "~")
		}
		return text
	}, nil
}

// redacted replaces a secret.
const redacted = "[redacted]"

// keyPatterns match keys and tokens as vendors issue them: a prefix that names the kind and
// a long random part, signed tokens, and what follows "Bearer".
var keyPatterns = []*regexp.Regexp{
	regexp.MustCompile(`\b(?:sk|pk|rk|gh[a-z]|glpat|key|tok|token|api|npm|hf|xox[a-z]|github_pat|[a-z]{2,4}ai)[-_][A-Za-z0-9_-]{16,}`),
	regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{20,}`),
	regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`),
	regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?`),
	regexp.MustCompile(`(?i)\bbearer +[A-Za-z0-9._~+/=-]{12,}`),
	regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\\\s]*(?:-----END [A-Z ]*PRIVATE KEY-----)?`),
	regexp.MustCompile(`://[^/\s:@"]+:[^/\s@"]+@`),
}
