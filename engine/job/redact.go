package job

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/secret"
)

// redactor removes secrets from what is recorded: those of the environment, and whatever has
// the shape of one.
type redactor struct {
	secrets  []string
	replacer *strings.Replacer
}

// secretWords in the name of a variable mark its value as a secret.
var secretWords = []string{"KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "AUTH", "COOKIE"}

// minSecretLength keeps short values ("1", "true") from being redacted in ordinary text.
const minSecretLength = 8

// secretsOf finds the values that must not be recorded in the environment of a
// program: whatever it prints back of them.
func secretsOf(environ []string) redactor {
	type secret struct{ value, name string }
	var found []secret
	for _, kv := range environ {
		name, v, _ := strings.Cut(kv, "=")
		if slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(strings.ToUpper(name), w) }) {
			found = append(found, secret{v, name})
		} else if u, err := url.Parse(v); err == nil && u.User != nil {
			password, _ := u.User.Password()
			found = append(found, secret{password, name}) // of a proxy
		}
	}
	// A secret that begins with another one must be found first, or its end stays.
	slices.SortStableFunc(found, func(a, b secret) int { return cmp.Compare(len(b.value), len(a.value)) })
	var r redactor
	var pairs []string
	for _, s := range found {
		if len(s.value) >= minSecretLength {
			r.secrets = append(r.secrets, s.value)
			pairs = append(pairs, s.value, "["+s.name+"]")
		}
	}
	r.replacer = strings.NewReplacer(pairs...)
	return r
}

// redact searches first: answers are long and almost never hold a secret.
func (r redactor) redact(s string) string {
	if slices.ContainsFunc(r.secrets, func(secret string) bool { return strings.Contains(s, secret) }) {
		s = r.replacer.Replace(s)
	}
	return secret.Redact(s)
}

func (r redactor) redactAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = r.redact(s)
	}
	return out
}

// redactArguments redacts values before they are written as JSON, whose escapes would
// hide a secret.
func (r redactor) redactArguments(args map[string]any) map[string]any {
	for name, v := range args {
		switch v := v.(type) {
		case string:
			args[name] = r.redact(v)
		case []string:
			args[name] = r.redactAll(v)
		}
	}
	return args
}

// redactReport removes secrets from what is said about a call beside its answer: programs
// quote the key that was refused.
func (r redactor) redactReport(out *call.Completion) {
	out.Answer.Model = r.redact(out.Answer.Model)
	for i, text := range out.Warnings {
		out.Warnings[i] = r.redact(text)
	}
	if f := out.Answer.Failure; f != nil {
		said := *f // a spec's, perhaps
		said.Message, said.Hint = r.redact(f.Message), r.redact(f.Hint)
		out.Answer.Failure = &said
	}
}
