//go:build unix

package engine_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	for i, reply := range replies {
		old.send(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"acme_request","arguments":%s}}`, 10+i, args("old "+reply.name))
		m := old.recv()
		if m.Method != "elicitation/create" || !strings.HasPrefix(m.Params.Message, "May acme be called") || !strings.Contains(m.Params.Message, "- bypass (45)\n- own (35)") {
			t.Fatalf("%+v", m)
		}
		old.send(`{"jsonrpc":"2.0","id":%v,"result":%s}`, m.ID, reply.answer)
		checkReply(t, old.recv(), reply.name, reply.decision)
	}
	modern := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"new","version":"7"},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{}}}}`
	for i, reply := range replies {
		call := fmt.Sprintf(`"method":"tools/call","params":{"name":"acme_request","arguments":%s,%s`, args("new "+reply.name), modern)
		old.send(`{"jsonrpc":"2.0","id":%d,%s}}`, 20+i, call)
		state := old.recv().Result.RequestState
		if state == "" {
			t.Fatal("no question")
		}
		old.send(`{"jsonrpc":"2.0","id":%d,%s,"requestState":%q,"inputResponses":{"question":%s}}}`, 30+i, call, state, reply.answer)
		checkReply(t, old.recv(), reply.name, reply.decision)
	}
	// A call of a client that cannot ask waits, and nothing names a way around the person.
	mute := connect(t, e, "mute")
	mute.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"acme_request","arguments":%s}}`, args("mute"))
	if m := mute.recv(); m.Result.IsError || m.Result.StructuredContent["status"] != "waiting" || !strings.Contains(m.Result.Content[0].Text, "gateway approvals answer") || strings.Contains(m.Result.Content[0].Text, "approvalPolicy") {
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
	want := []string{}
	for _, client := range []string{"new", "old"} {
		for _, reply := range slices.Backward(replies) {
			want = append(want, client+" balanced "+reply.decision)
		}
	}
	if !slices.Equal(decisions, want) || err != nil {
		t.Errorf("%v\ngot  %q\nwant %q", err, decisions, want)
	}
	jobs, err := s.Jobs(t.Context(), store.Filter{Principal: store.Local})
	ran := []string{}
	for _, job := range jobs {
		if job.Folder != "" {
			ran = append(ran, job.Prompt)
		}
	}
	if err != nil || !slices.Equal(ran, []string{"new approve", "old approve"}) || len(jobs) != len(rows)+1 || !jobs[0].Waits() {
		t.Errorf("%v %q %d", err, ran, len(jobs))
	}
	journal := filepath.Join(home, ".llm-cli-gateway", "approvals.jsonl")
	info, err := os.Stat(journal)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	if text, _ := os.ReadFile(journal); strings.Count(string(text), "\n") != len(rows) || strings.Contains(string(text), "new approve") {
		t.Errorf("journal: %s", text)
	}
}

// replies are what clients send back of a form, and the decision that it makes.
var replies = []struct{ name, answer, decision string }{
	{"approve", `{"action":"accept","content":{"decision":"approve"}}`, "approved human approve"},
	{"deny", `{"action":"accept","content":{"decision":"deny"}}`, "denied human deny"},
	{"empty", `{"action":"accept","content":{}}`, "denied client no_choice"},
	{"nothing", `{"action":"accept"}`, "denied client no_choice"},
	{"invalid", `{"action":"accept","content":{"decision":true,"approve":true}}`, "denied client no_choice"},
	{"decline", `{"action":"decline","content":{"decision":"approve"}}`, "denied client decline"},
	{"cancel", `{"action":"cancel"}`, "denied client cancel"},
}

func checkReply(t *testing.T, m message, name, decision string) {
	t.Helper()
	approval, _ := m.Result.StructuredContent["approval"].(map[string]any)
	got := fmt.Sprint(approval["verdict"], " ", approval["by"], " ", approval["answer"])
	if got != decision || m.Result.IsError != (name != "approve") || approval["score"] != 100.0 {
		t.Errorf("%s: %+v", name, m.Result)
	}
	if name == "approve" && m.Result.StructuredContent["response"] != "unasked" {
		t.Errorf("%+v", m.Result)
	}
}
