//go:build unix

package engine_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// TestAPersonIsAskedInBothEras goes the whole way: a call that its policy leaves to a
// person, the question to the client, the answer, the run and the record.
func TestAPersonIsAskedInBothEras(t *testing.T) {
	e, home := opened(t, strings.Replace(fake(t), `argv: ["{do}"]`, `argv: ["{params}", "{do}"]`, 1)+`
cli: acme: {params: yolo: {doc: "Y", type: "bool", words: ["out=unasked"], danger: true}, risk: [{id: "bypass", when: "yolo", score: 45}]}`)
	args := func(prompt string) string {
		raw, _ := json.Marshal(map[string]any{"prompt": prompt, "yolo": true, "do": []string{}, "approvalStrategy": "mcp_managed"})
		return string(raw)
	}
	old := connectAs(t, e, "old", `{"elicitation":{}}`)
	for i, reply := range []string{"accept", "decline", "cancel"} {
		old.send(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"acme_request","arguments":%s}}`, 10+i, args("old "+reply))
		m := old.recv()
		if m.Method != "elicitation/create" || !strings.HasPrefix(m.Params.Message, "May acme be called") || !strings.Contains(m.Params.Message, "- bypass (45)\n- own (35)") {
			t.Fatalf("%+v", m)
		}
		old.send(`{"jsonrpc":"2.0","id":%v,"result":{"action":%q,"content":{}}}`, m.ID, reply)
		checkReply(t, old.recv(), reply)
	}
	modern := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"new","version":"7"},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{}}}}`
	for i, reply := range []string{"accept", "decline", "cancel"} {
		call := fmt.Sprintf(`"method":"tools/call","params":{"name":"acme_request","arguments":%s,%s`, args("new "+reply), modern)
		old.send(`{"jsonrpc":"2.0","id":%d,%s}}`, 20+i, call)
		state := old.recv().Result.RequestState
		if state == "" {
			t.Fatal("no question")
		}
		old.send(`{"jsonrpc":"2.0","id":%d,%s,"requestState":%q,"inputResponses":{"question":{"action":%q,"content":{}}}}}`, 30+i, call, state, reply)
		checkReply(t, old.recv(), reply)
	}
	// A client that cannot ask gets a hint how to go on.
	mute := connect(t, e, "mute")
	mute.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"acme_request","arguments":%s}}`, args("mute"))
	if m := mute.recv(); !m.Result.IsError || !strings.Contains(m.Result.Content[0].Text, `or, if the user agrees, pass approvalPolicy "permissive"`) {
		t.Errorf("%+v", m.Result)
	}

	s, err := e.Record()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.Approvals(t.Context(), store.Local, "acme", 0)
	decisions := []string{}
	for _, row := range rows {
		decisions = append(decisions, strings.Join([]string{row.ClientName, row.Policy, row.Verdict, row.By, row.Answer}, " "))
	}
	want := "mute balanced denied policy unavailable, new balanced denied human cancel, new balanced denied human decline, new balanced approved human accept, " +
		"old balanced denied human cancel, old balanced denied human decline, old balanced approved human accept"
	if got := strings.Join(decisions, ", "); err != nil || got != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
	}
	jobs, err := s.Jobs(t.Context(), store.Filter{Principal: store.Local})
	if err != nil || len(jobs) != 2 || jobs[0].Prompt != "new accept" || jobs[1].Prompt != "old accept" {
		t.Errorf("%v %+v", err, jobs)
	}
	journal := filepath.Join(home, ".llm-cli-gateway", "approvals.jsonl")
	info, err := os.Stat(journal)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	if text, _ := os.ReadFile(journal); strings.Count(string(text), "\n") != len(rows) || strings.Contains(string(text), "new accept") {
		t.Errorf("journal: %s", text)
	}
}

func checkReply(t *testing.T, m message, reply string) {
	t.Helper()
	approval, _ := m.Result.StructuredContent["approval"].(map[string]any)
	verdict := map[string]string{"accept": "approved"}[reply]
	if verdict == "" {
		verdict = "denied"
	}
	if m.Result.IsError != (verdict == "denied") || approval["verdict"] != verdict || approval["answer"] != reply || approval["score"] != 80.0 {
		t.Errorf("%s: %+v", reply, m.Result)
	}
	if verdict == "approved" && m.Result.StructuredContent["response"] != "unasked" {
		t.Errorf("%+v", m.Result)
	}
}
