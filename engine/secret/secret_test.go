package secret_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/llm-cli-gateway/gateway/engine/secret"
)

// planted are secrets of every shape. They are made up, and put together so that scanners do
// not take this file for a leak.
var planted = []string{
	"x" + "ai-abcdefghijklmnop0123",
	"sk" + "-ant-api03-abcdefghijkl", "sk" + "-abcdefghijklmnop0123", "sk" + "-proj-A1b2C3d4E5f6G7", "sk" + "-or-v1-0123456789abcdef", "sk" + "_live_abcdefghijkl",
	"ghp" + "_abcdefghijklmnopqrst", "github" + "_pat_11ABCDEFG0abcdefghijkl_mnop", "glpat" + "-abcdefghijklmnop1234",
	"AIza" + "SyA0123456789abcdefghijklmnopqrstu", "AKIA" + "IOSFODNN7EXAMPLE", "ASIA" + "IOSFODNN7EXAMPLE",
	"gsk" + "_abcdefghijklmnopqrst0123", "hf" + "_abcdefghijklmnopqrstuvwxyzABCDEFGH", "xoxb" + "-123456789012-abcdef", "ya29" + ".abcdefghijklmnopqrst",
	"eyJ" + "hbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl", "eyJ" + "hbGciOiJI.eyJzdWIiOiIx",
	"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nMIIEabc", "-----BEGIN OPENSSH PRIVATE KEY-----\\nb3Bl\\n-----END OPENSSH PRIVATE KEY-----",
}

func TestRedact(t *testing.T) {
	cases := map[string]string{
		"Authorization: Bearer abcdefgh.ijklm9":              "Authorization: Bearer [redacted]",
		"authorization: bearer 0123456789abcdef":             "authorization: bearer [redacted]",
		"https://me:password@host/path":                      "https://me:[redacted]@host/path",
		`{"k":"-----BEGIN PRIVATE KEY-----\nMIIE","n":1}`:    `{"k":"[redacted]","n":1}`,
		`line\n` + planted[1] + `\nline`:                     `line\n[redacted]\nline`,
		planted[0] + " and " + planted[5] + "/" + planted[8]: "[redacted] and [redacted]/[redacted]",
		"key: acme-" + strings.Repeat("Ab3", 27) + ".":       "key: acme-" + strings.Repeat("Ab3", 27) + ".", // it goes on
		"key: acme-" + strings.Repeat("Ab3", 27) + "\n":      "key: acme-[redacted]\n",
		"“" + planted[1] + "”":                               "“[redacted]”",
	}
	for _, s := range planted {
		cases["key="+s] = "key=[redacted]"
		cases["("+s+") is it"] = "([redacted]) is it"
	}
	for text, want := range cases {
		if got := secret.Redact(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if !secret.In(text) && strings.Contains(want, secret.Mark) {
			t.Errorf("%q: not found", text)
		}
	}
}

// What only looks like a secret is left alone.
func TestNoSecrets(t *testing.T) {
	texts := []string{
		"task-force and risk-averse", "sk-learn-based-classification", "c39702b8-9eb7-4a05-866b-6f70eab7cd01", "01JABCDEFGHJKMNPQRSTVWXYZ0",
		"bearer of responsibilities", "Bearer authentication is used", "a bearer: authorization", "npm_config_registry and npm_package_version_1", "hf_transfer_enabled",
		"vendor-5.1-large-max", "vendor-sonnet-4-5-20250929", "vendor-3-pro-preview-11-2025", "vendor/opus-4.1@20250805", "eyJhbGciOiJIUzI1NiJ9",
		"-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----", "the words PRIVATE KEY", "https://host:8080/a@b", "https://me@host/", "http://a/b:c@d",
		"x-sk-toolbar", "AKIA", "AKIAIOSFODNN7EXAMPLEANDMORE", "AIzaShort", "https://${USER}:${PASSWORD}@host/",
	}
	for i := range 2000 {
		sum := sha256.Sum256([]byte(fmt.Sprint(i)))
		texts = append(texts, hex.EncodeToString(sum[:]), "sha256-"+base64.StdEncoding.EncodeToString(sum[:]), "sha512-"+base64.StdEncoding.EncodeToString(append(sum[:], sum[:]...)), base64.RawURLEncoding.EncodeToString(sum[:]),
			base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("Ordinary text of any kind, number %d; {\"json\": true}", i))), base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf(`{"number":%d}`, i))))
	}
	for _, text := range texts {
		if got := secret.Redact(text); got != text || secret.In(text) {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func FuzzRedact(f *testing.F) {
	for i, s := range planted {
		f.Add("before ", s+" after", i)
	}
	f.Fuzz(func(t *testing.T, before, after string, which int) {
		if len(planted) == 0 || which < 0 {
			return
		}
		key := planted[which%len(planted)]
		for _, text := range []string{before, before + after, before + " " + key + " " + after} {
			got := secret.Redact(text)
			if utf8.ValidString(text) && !utf8.ValidString(got) {
				t.Errorf("%q: %q is no valid text", text, got)
			}
			if again := secret.Redact(got); again != got {
				t.Errorf("%q: %q, and then %q", text, got, again)
			}
		}
		if got := secret.Redact(before + " " + key + " " + after); strings.Contains(got, key) && !strings.Contains(before+after, key) {
			t.Errorf("%q stays in %q", key, got)
		}
	})
}

func BenchmarkRedact(b *testing.B) {
	text := strings.Repeat("The answer is a long text, as they are: it has words, numbers such as 12, and code(x). ", 10_000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		secret.Redact(text)
	}
}
