//go:build unix

package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// TestAPersonDecidesBeyondABudget goes the whole way in both eras: the calls that fit, the question
// about one that does not, the answer, which holds for that call alone, and the refusal of a
// client that cannot ask.
func TestAPersonDecidesBeyondABudget(t *testing.T) {
	e, _ := opened(t, fake(t)+`
cli: acme: {output: {format: "jsonl", text: "event.text", cost: "event.cost"}, budget: day: 4}`)
	call := func(prompt string) string {
		return fmt.Sprintf(`"method":"tools/call","params":{"name":"acme_request","arguments":{"prompt":%q,"do":["out={\"text\":\"fine\",\"cost\":5}\n"]}`, prompt)
	}
	mute := connect(t, e, "mute")
	mute.send(`{"jsonrpc":"2.0","id":1,%s}}`, call("fits"))
	if m := mute.recv(); m.Result.IsError || m.Result.StructuredContent["costUsd"] != 5.0 || m.Result.StructuredContent["warnings"] != nil {
		t.Fatalf("%+v", m.Result)
	}
	mute.send(`{"jsonrpc":"2.0","id":2,%s}}`, call("does not"))
	if m := mute.recv(); !m.Result.IsError || fmt.Sprint(m.Result.StructuredContent["error"].(map[string]any)["class"]) != "budget" {
		t.Errorf("%+v", m.Result)
	}

	check := func(m message, approved bool) {
		t.Helper()
		text := fmt.Sprint(m.Result.Content)
		switch {
		case m.Result.IsError == approved:
			t.Errorf("%+v", m.Result)
		case approved && m.Result.StructuredContent["response"] != "fine":
			t.Errorf("%+v", m.Result)
		case !approved && (!strings.Contains(text, "failed (denied): nothing was run: the user was asked and denied it (this call, which is taken to cost $5.00, does not fit into the budget of the day for acme") || !strings.Contains(text, "Hint: wait until the budget resets; a person can raise it; do not repeat the call as it is")):
			t.Errorf("%s", text)
		}
	}
	replies := map[bool]string{true: `{"action":"accept","content":{"decision":"approve"}}`, false: `{"action":"accept","content":{"decision":"deny"}}`}
	old := connectAs(t, e, "old", `{"elicitation":{}}`)
	spent := 5
	for i, approved := range []bool{true, false} {
		old.send(`{"jsonrpc":"2.0","id":%d,%s}}`, 10+i, call(fmt.Sprint("old ", i)))
		m := old.recv()
		if want := fmt.Sprintf("May acme be called although this call, which is taken to cost $5.00, does not fit into the budget of the day for acme (cli.acme.budget.day): $%d.00 spent of $4.00; it resets at ", spent); m.Method != "elicitation/create" || !strings.HasPrefix(m.Params.Message, want) || !strings.HasSuffix(m.Params.Message, fmt.Sprintf("\nPrompt: \"old %d\"", i)) {
			t.Fatalf("%+v", m)
		}
		old.send(`{"jsonrpc":"2.0","id":%v,"result":%s}`, m.ID, replies[approved])
		check(old.recv(), approved)
		if approved {
			spent += 5
		}
	}
	modern := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"new","version":"7"},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{}}}}`
	for i, approved := range []bool{true, false} {
		round := call(fmt.Sprint("new ", i)) + "," + modern
		old.send(`{"jsonrpc":"2.0","id":%d,%s}}`, 20+i, round)
		state := old.recv().Result.RequestState
		if state == "" {
			t.Fatal("no question")
		}
		old.send(`{"jsonrpc":"2.0","id":%d,%s,"requestState":%q,"inputResponses":{"question":%s}}}`, 30+i, round, state, replies[approved])
		check(old.recv(), approved)
		if approved {
			spent += 5
		}
	}

	s, err := e.Record()
	if err != nil {
		t.Fatal(err)
	}
	sums, err := s.Costs(t.Context(), []store.Costs{{CLI: "acme", Since: time.Unix(0, 0)}})
	if err != nil || sums[0].Spent != float64(spent) || sums[0].Reserved != 0 {
		t.Errorf("%+v, %v; want %d spent", sums, err, spent)
	}
	mute.send(`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"gateway_status","arguments":{}}}`)
	m := mute.recv()
	budgets, _ := m.Result.StructuredContent["budgets"].([]any)
	if len(budgets) != 1 || budgets[0].(map[string]any)["spentUsd"] != float64(spent) || !strings.Contains(m.Result.Content[0].Text, "cli.acme.budget.day: $15.00 spent of $4.00; it resets at ") {
		t.Errorf("%+v", m.Result)
	}
}
