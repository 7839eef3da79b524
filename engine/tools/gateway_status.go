package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/job/attempts"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// GatewayStatus is the name of GatewayStatusTool.
const GatewayStatus = "gateway_status"

// Specs knows which specs are in force.
type Specs interface{ Status() Status }

// Status says which specs are in force: the output of GatewayStatusTool.
type Status struct {
	Digest   string     `json:"digest"`
	Since    time.Time  `json:"since"`   // when they came into force
	Reloads  int        `json:"reloads"` // since the gateway started
	Files    []SpecFile `json:"files"`   // beside those that the binary carries
	Warnings []string   `json:"warnings,omitempty"`
	Failed   *Failed    `json:"failed,omitempty"`
	Held     *Held      `json:"held,omitempty"`
	Lost     []Lost     `json:"lost,omitempty"`
	Restart  []string   `json:"restart,omitempty"` // settings that count from the next start on

	Evaluating *Evaluating `json:"evaluating,omitempty"`

	Budgets  []Budget       `json:"budgets,omitempty"`  // what calls may cost, and have cost
	Breakers []BreakerState `json:"breakers,omitempty"` // that let no calls through, or count failures
}

// BreakerState is a breaker that counts failures, or lets no calls through.
type BreakerState struct {
	Key      string    `json:"key"` // CLI, or CLI/model
	State    string    `json:"state"`
	Failures int       `json:"failures"`
	Until    time.Time `json:"until,omitzero"`  // when a call is let through
	Class    string    `json:"class,omitempty"` // of the last failure

	text string
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

// Evaluating says which changed file is being evaluated, before what the files hold now can
// be in force.
type Evaluating struct {
	File    string    `json:"file"`
	Since   time.Time `json:"since"`
	LimitMs int64     `json:"limitMs"` // after which it is given up
	LimitMb int       `json:"limitMb"`
}

// Held says what the files hold now would widen, for which it waits.
type Held struct {
	Time    time.Time `json:"time"`
	Digest  string    `json:"digest"`
	Changes []string  `json:"changes"`
}

// Lost is a folder of which nothing is left. What it said stays in force.
type Lost struct {
	Folder string    `json:"folder"`
	Since  time.Time `json:"since"`
}

var statusSchema = json.RawMessage(`{"type":"object","properties":{"digest":{"type":"string"},"since":{"type":"string"},"reloads":{"type":"integer"},` +
	`"files":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"sha256":{"type":"string"}}}},` +
	`"failed":{"type":"object","properties":{"time":{"type":"string"},"problems":{"type":"array","items":{"type":"string"}}}},` +
	`"held":{"type":"object","properties":{"time":{"type":"string"},"changes":{"type":"array","items":{"type":"string"}}}},` +
	`"lost":{"type":"array","items":{"type":"object"}},` +
	`"evaluating":{"type":"object"},` +
	`"breakers":{"type":"array","items":{"type":"object"}},"budgets":{"type":"array","items":{"type":"object"}}}}`)

// GatewayStatusTool reports which specs are in force.
var GatewayStatusTool = &Builtin[struct{}, Status]{
	Tool: catalog.Tool{Name: GatewayStatus, Title: "Status of the gateway", Output: statusSchema, Advanced: true, ReadOnly: true, Idempotent: true,
		Description: "Report which specs are in force, why changed files are not, and what is spent of budgets."},
	handle: (*Tools).status,
	render: renderStatus,
}

func (t *Tools) status(ctx context.Context, _ Caller, _ struct{}) (Status, error) {
	if t.Specs == nil {
		return Status{}, &usageError{message: "this gateway has no specs of its own"}
	}
	s := t.Specs.Status()
	s.Since = s.Since.UTC()
	if s.Failed != nil {
		failed := *s.Failed
		failed.Time = failed.Time.UTC()
		s.Failed = &failed
	}
	if s.Held != nil {
		held := *s.Held
		held.Time = held.Time.UTC()
		s.Held = &held
	}
	s.Lost = slices.Clone(s.Lost)
	for i := range s.Lost {
		s.Lost[i].Since = s.Lost[i].Since.UTC()
	}
	if s.Evaluating != nil {
		evaluating := *s.Evaluating
		evaluating.Since = evaluating.Since.UTC()
		s.Evaluating = &evaluating
	}
	t.addBudgets(ctx, &s)
	if t.Runner != nil && t.Runner.Record != nil {
		list, err := t.Breakers(ctx)
		if err != nil {
			return Status{}, err
		}
		for _, b := range list {
			if b.Failures > 0 {
				s.Breakers = append(s.Breakers, BreakerState{b.Key, string(b.State), b.Failures, b.Until.UTC(), b.Class, BreakerText(b, time.Now())})
			}
		}
	}
	return s, nil
}

// Breakers are those of which something is known.
func (t *Tools) Breakers(ctx context.Context) ([]store.Breaker, error) {
	records, err := t.Runner.Record()
	if err != nil {
		return nil, err
	}
	return records.Breakers(ctx)
}

// ResetBreaker closes the breaker of a CLI, or of CLI/model, as attempts.Reset does.
func (t *Tools) ResetBreaker(ctx context.Context, key string) ([]store.Breaker, error) {
	records, err := t.Runner.Record()
	if err != nil {
		return nil, err
	}
	return attempts.Reset(ctx, records, key)
}

// BreakerText is a breaker as a sentence.
func BreakerText(b store.Breaker, now time.Time) string {
	last := fmt.Sprintf("%d failures of %s in a row, the last with %s", b.Failures, b.Key, b.Class)
	switch {
	case b.State == store.BreakerOpen && now.Before(b.Until):
		return fmt.Sprintf("%s: no call is made until %s", last, b.Until.Local().Format(time.DateTime))
	case b.State == store.BreakerOpen:
		return last + ": the next call is a trial"
	case b.State == store.BreakerHalfOpen:
		return fmt.Sprintf("%s: job %s is the trial", last, b.Trial)
	}
	return last
}

func renderStatus(s Status) []string {
	text := []string{fmt.Sprintf("The specs in force have the digest %s, since %s, after %d reloads.", s.Digest, s.Since.Format(time.RFC3339), s.Reloads)}
	for _, f := range s.Files {
		text = append(text, fmt.Sprintf("%s (sha256 %.12s)", f.Name, f.SHA256))
	}
	if f := s.Failed; f != nil {
		text = append(text, fmt.Sprintf("What the files hold since %s cannot be used:", f.Time.Format(time.RFC3339)))
		text = append(text, f.Problems...)
	}
	if h := s.Held; h != nil {
		text = append(text, fmt.Sprintf("What the files hold since %s widens what calls may do, and waits for a person to send SIGHUP to the gateway or to start it again:", h.Time.Format(time.RFC3339)))
		text = append(text, h.Changes...)
	}
	for _, l := range s.Lost {
		text = append(text, fmt.Sprintf("Nothing is left of the folder %s since %s. What it said stays in force until it is restored, or a person starts the gateway again; if the folder is there and is meant to be empty, SIGHUP is enough.", l.Folder, l.Since.Format(time.RFC3339)))
	}
	if v := s.Evaluating; v != nil {
		text = append(text, fmt.Sprintf("%s is being evaluated since %s, for at most %d ms and %d MB (gateway.specs.evalMs, evalMb); the specs before stay in force meanwhile.", v.File, v.Since.Format(time.RFC3339), v.LimitMs, v.LimitMb))
	}
	for _, b := range s.Breakers {
		text = append(text, b.text+".")
	}
	for _, b := range s.Budgets {
		text = append(text, b.text)
	}
	text = append(text, s.Warnings...)
	for _, setting := range s.Restart {
		text = append(text, setting+" takes effect at the next start.")
	}
	return []string{strings.Join(text, "\n")}
}
