package redaction

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

// Redactor removes secrets from what is recorded: those of the environment, and whatever has
// the shape of one.
type Redactor struct {
	secrets  []string
	replacer *strings.Replacer
	shapes   *secret.Finder
	record   lang.RedactSpec // what the record keeps of prompts and answers
}

// secretWords in the name of a variable mark its value as a secret.
var secretWords = []string{"KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "AUTH", "COOKIE"}

// minSecretLength keeps short values ("1", "true") from being redacted in ordinary text.
const minSecretLength = 8

// New finds the values that must not be recorded in the environment of a
// program: whatever it prints back of them; and what has a shape.
func New(environ []string, c *catalog.Catalog) Redactor {
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
	r := Redactor{shapes: c.Secrets, record: c.Settings.Redact}
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

// Redact searches first: answers are long and almost never hold a secret.
func (r Redactor) Redact(s string) string {
	if slices.ContainsFunc(r.secrets, func(secret string) bool { return strings.Contains(s, secret) }) {
		s = r.replacer.Replace(s)
	}
	return r.shapes.Redact(s)
}

// kept is what the record keeps of a text, as a setting has it.
func (r Redactor) kept(setting, s string) string {
	switch lang.Redaction(setting) {
	case lang.RedactOff:
		return s
	case lang.RedactDrop:
		return ""
	}
	return r.Redact(s)
}

// Prompt is what the record keeps of a prompt.
func (r Redactor) Prompt(s string) string { return r.kept(r.record.Prompts, s) }

// Answer is what the record keeps of an answer.
func (r Redactor) Answer(s string) string { return r.kept(r.record.Answers, s) }

// DropsAnswers reports whether the record keeps no answers: they are in the files of their jobs
// alone.
func (r Redactor) DropsAnswers() bool { return lang.Redaction(r.record.Answers) == lang.RedactDrop }

// Argv are words of a command line as they are recorded: without the prompt, if that is not to be.
func (r Redactor) Argv(words []string, prompt string) []string {
	out := r.All(words)
	if lang.Redaction(r.record.Prompts) != lang.RedactDrop || prompt == "" {
		return out
	}
	for i, word := range words {
		switch before, last := strings.CutSuffix(word, prompt); {
		case last:
			out[i] = r.Redact(before) + PromptMark
		case len(prompt) >= minPrompt && strings.Contains(word, prompt):
			out[i] = r.Redact(strings.ReplaceAll(word, prompt, PromptMark))
		}
	}
	return out
}

const (
	// PromptMark stands for the prompt.
	PromptMark = "[prompt]"

	minPrompt = 8 // characters, from which a prompt is searched for inside of words
)

// All redacts each text.
func (r Redactor) All(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = r.Redact(s)
	}
	return out
}

// Arguments redacts values before they are written as JSON, whose escapes would
// hide a secret.
func (r Redactor) Arguments(args map[string]any) map[string]any {
	for name, v := range args {
		switch v := v.(type) {
		case string:
			args[name] = r.Redact(v)
		case []string:
			args[name] = r.All(v)
		}
	}
	return args
}

// Report removes secrets from what is said about a call beside its answer: programs
// quote the key that was refused.
func (r Redactor) Report(out *call.Completion) {
	out.Answer.Model = r.Redact(out.Answer.Model)
	for i, text := range out.Warnings {
		out.Warnings[i] = r.Redact(text)
	}
	if f := out.Answer.Failure; f != nil {
		said := *f // a spec's, perhaps
		said.Message, said.Hint = r.Redact(f.Message), r.Redact(f.Hint)
		out.Answer.Failure = &said
	}
}
