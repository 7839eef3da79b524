package redaction

import (
	"encoding/json"
	"maps"
	"regexp"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/secret"
)

// OfOutput returns a function that removes secrets from what a CLI printed, before
// others read it: the values of secrets in its environment, everything that looks like a
// key or a token, and the name of the home folder.
func OfOutput(h *host.Host, c *catalog.Catalog, cli *catalog.CLI) (func(string) string, error) {
	environ, err := h.Environ(environment.OfCLI(c, cli, maps.Collect(cli.Env.Set.All()), ""))
	if err != nil {
		return nil, err
	}
	known := New(environ, c)
	for _, value := range known.secrets { // as it is written in JSON
		if quoted, err := json.Marshal(value); err == nil && string(quoted[1:len(quoted)-1]) != value {
			known.secrets = append(known.secrets, string(quoted[1:len(quoted)-1]))
		}
	}
	pairs := []string{}
	for _, value := range known.secrets {
		pairs = append(pairs, value, secret.Mark)
	}
	values := strings.NewReplacer(pairs...)
	home := host.Home()
	return func(text string) string {
		text = values.Replace(text)
		for _, shape := range loosePatterns {
			text = shape.ReplaceAllString(text, secret.Mark)
		}
		text = c.Secrets.Redact(text)
		if len(home) > 1 {
			text = strings.ReplaceAll(text, home, "~")
		}
		return text
	}, nil
}

// loosePatterns match what may be a secret: a prefix that names the kind and a long part, and
// what follows "Bearer". A word that is lost in an example does no harm.
var loosePatterns = []*regexp.Regexp{
	regexp.MustCompile(`\b(?:sk|pk|rk|gh[a-z]|glpat|key|tok|token|api|npm|hf|xox[a-z]|github_pat|[a-z]{2,4}ai)[-_][A-Za-z0-9_-]{16,}`),
	regexp.MustCompile(`(?i)\bbearer +[A-Za-z0-9._~+/=-]{12,}`),
	regexp.MustCompile(`://[^/\s:@"]+:[^/\s@"]+@`),
}
