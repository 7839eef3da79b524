package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
)

// GatewayStatus is the name of the tool that tells of the specs.
const GatewayStatus = "gateway_status"

// Status tells which specs are in force.
type Status struct {
	Digest   string     `json:"digest"`
	Since    time.Time  `json:"since"`   // when they came into force
	Reloads  int        `json:"reloads"` // since the gateway started
	Files    []SpecFile `json:"files"`   // beside those that the binary carries
	Warnings []string   `json:"warnings,omitempty"`
	Failed   *Failed    `json:"failed,omitempty"`
	Held     *Held      `json:"held,omitempty"`
	Restart  []string   `json:"restart,omitempty"` // settings that count from the next start on
}

// SpecFile is a file of specs.
type SpecFile struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// Failed says why what the files hold now is not in force.
type Failed struct {
	Time     time.Time `json:"time"`
	Problems []string  `json:"problems"` // file:line:col and what is wrong
}

// Held says what the files hold now would widen, for which it waits.
type Held struct {
	Time    time.Time `json:"time"`
	Digest  string    `json:"digest"`
	Changes []string  `json:"changes"`
}

var gatewayStatus = catalog.NewBuiltin(catalog.Tool{Name: GatewayStatus, Title: "Status of the gateway", Rare: true, ReadOnly: true, Idempotent: true,
	Output: json.RawMessage(`{"type":"object","properties":{"digest":{"type":"string"},"since":{"type":"string"},"reloads":{"type":"integer"},` +
		`"files":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"sha256":{"type":"string"}}}},` +
		`"failed":{"type":"object","properties":{"time":{"type":"string"},"problems":{"type":"array","items":{"type":"string"}}}},` +
		`"held":{"type":"object","properties":{"time":{"type":"string"},"changes":{"type":"array","items":{"type":"string"}}}}},"required":["digest","files"]}`),
	Description: "Tell which specs are in force, and what is wrong with an edit that is not."})

// status answers GatewayStatus.
func (t *Tools) status() Result {
	if t.Status == nil {
		return refused("this gateway has no specs of its own to tell of", "")
	}
	s := t.Status()
	s.Since = s.Since.UTC()
	text := []string{fmt.Sprintf("The specs in force have the digest %s, since %s, after %d reloads.", s.Digest, s.Since.Format(time.RFC3339), s.Reloads)}
	for _, f := range s.Files {
		text = append(text, fmt.Sprintf("%s (sha256 %.12s)", f.Name, f.SHA256))
	}
	if f := s.Failed; f != nil {
		f.Time = f.Time.UTC()
		text = append(text, fmt.Sprintf("What the files hold since %s cannot be used:", f.Time.Format(time.RFC3339)))
		text = append(text, f.Problems...)
	}
	if h := s.Held; h != nil {
		h.Time = h.Time.UTC()
		text = append(text, fmt.Sprintf("What the files hold since %s widens what calls may do, and waits for a person to send SIGHUP to the gateway or to start it again:", h.Time.Format(time.RFC3339)))
		text = append(text, h.Changes...)
	}
	text = append(text, s.Warnings...)
	for _, setting := range s.Restart {
		text = append(text, setting+" counts from the next start on.")
	}
	return Result{Text: []string{strings.Join(text, "\n")}, Structured: encode(s), Bare: true}
}

func (t *Tools) readStatus(context.Context, string) (Result, error) { return t.status(), nil }
