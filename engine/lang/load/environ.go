package load

import (
	"strconv"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Variable is an environment variable that overrides a setting.
type Variable struct {
	Name string
	Key  string // the setting, from the root of a spec: "gateway.logsDb"
	kind kind
}

// Variables are all of them.
var Variables = []Variable{
	{"LLM_GATEWAY_LOGS_DB", "gateway.logsDb", textKind},
	{"LLM_GATEWAY_ENV_FILE", "gateway.envFile", textKind},
	{"DEBUG", "gateway.debug", boolean},
	{"LLM_GATEWAY_IDLE_TIMEOUT_MS", "gateway.timeouts.idleMs", number},
	{"LLM_GATEWAY_WALL_TIMEOUT_MS", "gateway.timeouts.wallMs", number},
	{"LLM_GATEWAY_JOB_RETENTION_DAYS", "gateway.jobs.retentionDays", number},
	{"LLM_GATEWAY_SESSION_RETENTION_DAYS", "gateway.sessions.retentionDays", number},
	{"LLM_GATEWAY_APPROVAL_RETENTION_DAYS", "gateway.approvals.retentionDays", number},
	{"LLM_GATEWAY_JOBS_DB", "gateway.jobs.db", textKind},
	{"LLM_GATEWAY_DEDUP_WINDOW_MS", "gateway.jobs.dedupMs", number},
	{"LLM_GATEWAY_SYNC_DEADLINE_MS", "gateway.jobs.syncMs", number},
	{"LLM_GATEWAY_MAX_DEPTH", "gateway.jobs.maxDepth", number},
	{"LLM_GATEWAY_CONCURRENCY", "gateway.jobs.concurrency", number},
	{"LLM_GATEWAY_APPROVAL_POLICY", "gateway.approvals.policy", textKind},
	{"LLM_GATEWAY_OUTPUT_CAP", "gateway.outputCap", number},
}

// Counts reports whether the variable has a say in an environment, KEY=VALUE. Empty
// means not set, except for a database, where it is an older way to say "none".
func (v Variable) Counts(env []string) bool {
	value, set := "", false
	for _, pair := range env {
		if text, ok := strings.CutPrefix(pair, v.Name+"="); ok {
			value, set = text, true
		}
	}
	return value != "" || set && v.database()
}

func (v Variable) database() bool { return v.Key == "gateway.logsDb" || v.Key == "gateway.jobs.db" }

// environ makes a layer of the variables that are set and count.
func environ(env []string, r *report) *node {
	values := map[string]string{}
	for _, pair := range env {
		if name, value, ok := strings.Cut(pair, "="); ok {
			values[name] = value
		}
	}
	root := newObject(pos{}, pos{})
	for _, v := range Variables {
		value, set := values[v.Name]
		if v.database() && set && value == "" {
			value = "none"
		}
		if value == "" {
			continue
		}
		at := pos{src: &source{name: "env:" + v.Name, env: true}}
		n := &node{kind: v.kind, text: value, at: at, key: at}
		path := strings.Split(v.Key, ".")
		switch v.kind {
		case boolean:
			n.text = "true"
		case number:
			count, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				r.add(at, path, "value", "must be a whole number, not %s", text.Clip(strconv.Quote(value)))
				continue
			}
			n.text = strconv.FormatInt(count, 10)
		}
		into := root
		for _, k := range path[:len(path)-1] {
			if into.fields[k] == nil {
				into.set(k, newObject(at, at))
			}
			into = into.fields[k]
		}
		into.set(path[len(path)-1], n)
	}
	return root
}
