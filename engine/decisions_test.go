//go:build unix

package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestOldDecisionsGo: from the record and from the journal, when old jobs are cleared away.
func TestOldDecisionsGo(t *testing.T) {
	for days, kept := range map[string]map[int]bool{
		"":  {364: true, 366: false},
		"5": {4: true, 6: false},
		"0": {40000: true},
	} {
		environ := []string{}
		if days != "" {
			environ = append(environ, "LLM_GATEWAY_APPROVAL_RETENTION_DAYS="+days)
		}
		e, home := opened(t, fake(t), environ...)
		ask(t, e, "acme_request", map[string]any{"prompt": "x", "do": []string{"out=yes"}, "approvalStrategy": "mcp_managed"})
		for _, age := range []int{4, 6, 364, 366, 40000} {
			want, checked := kept[age]
			if !checked {
				continue
			}
			if _, err := e.Tools.Runner.Prune(t.Context(), time.Now().AddDate(0, 0, age)); err != nil {
				t.Fatal(err)
			}
			_, list := ask(t, e, "approval_list", map[string]any{})
			journal, err := os.ReadFile(filepath.Join(home, ".llm-cli-gateway", "approvals.jsonl"))
			if listed := len(list["approvals"].([]any)) == 1; err != nil || listed != want || strings.Contains(string(journal), "acme_request") != want {
				t.Errorf("%q, after %d days: %v, %s, %v", days, age, list, journal, err)
			}
		}
	}
}
