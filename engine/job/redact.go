package job

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/secret"
)

// redactor removes secrets from what is recorded: those of the environment, and whatever has
// the shape of one.
type redactor struct {
	secrets  []string
	replacer *strings.Replacer
	shapes   *secret.Finder
	record   lang.RedactSpec // what the record keeps of prompts and answers
}

// secretWords in the name of a variable mark its value as a secret.
var secretWords = []string{"KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "AUTH", "COOKIE"}

// minSecretLength keeps short values ("1", "true") from being redacted in ordinary text.
const minSecretLength = 8

// secretsOf finds the values that must not be recorded in the environment of a
// program: whatever it prints back of them; and what has a shape.
func secretsOf(environ []string, c *catalog.Catalog) redactor {
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
	r := redactor{shapes: c.Secrets, record: c.Settings.Redact}
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

// Redactor removes from texts the secrets of an environment, and whatever has the shape of one.
func Redactor(environ []string, c *catalog.Catalog) func(string) string {
	return secretsOf(environ, c).redact
}

// redact searches first: answers are long and almost never hold a secret.
func (r redactor) redact(s string) string {
	if slices.ContainsFunc(r.secrets, func(secret string) bool { return strings.Contains(s, secret) }) {
		s = r.replacer.Replace(s)
	}
	return r.shapes.Redact(s)
}

// kept is what the record keeps of a text, as a setting has it.
func (r redactor) kept(setting, s string) string {
	switch lang.Redaction(setting) {
	case lang.RedactOff:
		return s
	case lang.RedactDrop:
		return ""
	}
	return r.redact(s)
}

func (r redactor) prompt(s string) string { return r.kept(r.record.Prompts, s) }
func (r redactor) answer(s string) string { return r.kept(r.record.Answers, s) }

// dropsAnswers reports whether the record keeps no answers: they are in the files of their jobs
// alone.
func (r redactor) dropsAnswers() bool { return lang.Redaction(r.record.Answers) == lang.RedactDrop }

// argv are words of a command line as they are recorded: without the prompt, if that is not to be.
func (r redactor) argv(words []string, prompt string) []string {
	out := r.redactAll(words)
	if lang.Redaction(r.record.Prompts) != lang.RedactDrop || prompt == "" {
		return out
	}
	for i, word := range words {
		switch before, last := strings.CutSuffix(word, prompt); {
		case last:
			out[i] = r.redact(before) + promptMark
		case len(prompt) >= minPrompt && strings.Contains(word, prompt):
			out[i] = r.redact(strings.ReplaceAll(word, prompt, promptMark))
		}
	}
	return out
}

const (
	promptMark = "[prompt]"
	minPrompt  = 8 // characters, from which a prompt is searched for inside of words
)

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
