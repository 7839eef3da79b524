package load

import (
	"fmt"
	"strings"
	"testing"
)

// TestVariablesNameSettings: each variable overrides a setting that the schema has,
// with a value that its type can take.
func TestVariablesNameSettings(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range Variables {
		s := fileShape()
		for _, k := range strings.Split(v.Key, ".") {
			f, ok := s.arms[0].fields[k]
			if !ok {
				t.Fatalf("%s: no setting %s", v.Name, v.Key)
			}
			s = f.shape
		}
		if s.arms[0].kinds&v.kind == 0 {
			t.Errorf("%s: the setting wants %s, not %s", v.Name, s.arms[0].kinds, v.kind)
		}
		if seen[v.Name] || seen[v.Key] {
			t.Errorf("%s is used twice", v.Name)
		}
		seen[v.Name], seen[v.Key] = true, true
	}
}

func TestEnviron(t *testing.T) {
	base := layer("x.cue", `gateway: {logsDb: "file.db", envFile: "a.env", timeouts: {idleMs: 1000, graceMs: 5}}`)
	for _, c := range []struct {
		env  string
		want string // file.db a.env debug idle wall cap, or a diagnostic
	}{
		{"", "file.db a.env false 1000 - 0"},
		{"LLM_GATEWAY_LOGS_DB=", "none a.env false 1000 - 0"},
		{"LLM_GATEWAY_LOGS_DB=other.db", "other.db a.env false 1000 - 0"},
		{"LLM_GATEWAY_LOGS_DB=one LLM_GATEWAY_LOGS_DB=two", "two a.env false 1000 - 0"},
		{"LLM_GATEWAY_ENV_FILE=", "file.db a.env false 1000 - 0"},
		{"LLM_GATEWAY_ENV_FILE=b=c.env", "file.db b=c.env false 1000 - 0"},
		{"DEBUG=", "file.db a.env false 1000 - 0"},
		{"DEBUG=0 LLM_GATEWAY_OUTPUT_CAP=2048", "file.db a.env true 1000 - 2048"},
		{"LLM_GATEWAY_IDLE_TIMEOUT_MS=0 LLM_GATEWAY_WALL_TIMEOUT_MS=+060000", "file.db a.env false 0 60000 0"},
		{"LLM_GATEWAY_LOGS=x NOPAIR", "file.db a.env false 1000 - 0"},
		{"LLM_GATEWAY_WALL_TIMEOUT_MS=1e6", `env:LLM_GATEWAY_WALL_TIMEOUT_MS: gateway.timeouts.wallMs: must be a whole number, not "1e6"`},
		{"LLM_GATEWAY_WALL_TIMEOUT_MS=99999999999999999999", `env:LLM_GATEWAY_WALL_TIMEOUT_MS: gateway.timeouts.wallMs: must be a whole number, not "99999999999999999999"`},
		{"LLM_GATEWAY_OUTPUT_CAP=1", "env:LLM_GATEWAY_OUTPUT_CAP: gateway.outputCap: must be at least 1024"},
		{"LLM_GATEWAY_APPROVAL_POLICY=Wide", "env:LLM_GATEWAY_APPROVAL_POLICY: gateway.approvals.policy: must match ^[a-z][a-z0-9_]{0,24}$"},
	} {
		res := Load([]Layer{base}, Options{Environ: strings.Fields(c.env)})
		if len(res.Diagnostics) > 0 {
			if got := res.Diagnostics[0].String(); len(res.Diagnostics) > 1 || got != c.want {
				t.Errorf("%s: got %v", c.env, res.Diagnostics)
			}
			continue
		}
		g := res.Catalog.Settings
		show := func(n *int64) string {
			if n == nil {
				return "-"
			}
			return fmt.Sprint(*n)
		}
		if got := fmt.Sprint(g.LogsDB, " ", g.EnvFile, " ", g.Debug, " ", show(g.Timeouts.IdleMs), " ", show(g.Timeouts.WallMs), " ", g.OutputCap); got != c.want {
			t.Errorf("%s: want %s, got %s", c.env, c.want, got)
		}
	}
}
