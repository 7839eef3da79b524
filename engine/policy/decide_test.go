package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// specs have policies of all kinds, and rules for all CLIs.
const specs = `{
	"policy": {"low": {"approve": 4, "ask": 14, "deny": ["night"]}, "mid": {"approve": 10, "ask": 20, "includes": "low"}, "high": {"approve": 100, "includes": "mid"}, "other": {"approve": 0, "ask": 50, "human": "deny"}},
	"risk": {"night": {"when": "prompt == 'night'", "score": 1}, "danger": {"when": "len(danger) > 0", "score": 3}},
	"gateway": {"approvals": %s}}`

func compile(t testing.TB, text string) (Set, lang.ApprovalsSpec) {
	t.Helper()
	var s lang.Spec
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	ps := lang.NewProblems()
	set := Compile(&s, nil, false, ps)
	if len(*ps.List) > 0 {
		t.Fatal(*ps.List)
	}
	return set, s.Gateway.Approvals
}

// question is about a call whose CLI scores what n says, and has a dangerous parameter.
func question(t testing.TB, s Set, args string) (q Question) {
	t.Helper()
	var given struct {
		Prompt           string
		N                int
		Yolo             bool
		ApprovalStrategy string
		ApprovalPolicy   string
	}
	if err := json.Unmarshal([]byte(args), &given); err != nil {
		t.Fatal(err)
	}
	q.Strategy, q.Policy = given.ApprovalStrategy, given.ApprovalPolicy
	var dangers []string
	if given.Yolo {
		q.Asked, dangers = "yolo", []string{"yolo"}
	}
	for _, rule := range []struct {
		holds bool
		hit   Hit
	}{{given.N%10 >= 5, Hit{ID: "five", Score: 5}}, {given.N >= 10, Hit{ID: "ten", Score: 10, Reason: "ten"}}, {given.N >= 20, Hit{Score: 10}}} {
		if rule.holds {
			q.Hits = append(q.Hits, rule.hit)
		}
	}
	q.Hits = append(q.Hits, s.Hits(Facts{CLI: "acme", Mode: lang.New, Prompt: given.Prompt, Dangers: dangers})...)
	return q
}

func TestDecide(t *testing.T) {
	for _, c := range []struct{ settings, args, want string }{
		{`{}`, `{}`, "legacy  approve 0 []"},
		{`{}`, `{"n": 25, "yolo": true}`, "legacy  approve 28 [five ten  danger]"},
		{`{"danger": "allow"}`, `{"yolo": true}`, "legacy  approve 3 [danger]"},
		{`{"danger": "deny"}`, `{"n": 25}`, "legacy  approve 25 [five ten ]"},
		{`{"danger": "deny"}`, `{"yolo": false}`, "legacy  approve 0 []"},
		{`{"danger": "deny"}`, `{"yolo": true}`, "legacy  deny 3 [danger]: gateway.approvals.danger denies yolo"},
		{`{"danger": "deny", "policy": "mid"}`, `{"yolo": true, "approvalStrategy": "mcp_managed"}`, "mcp_managed mid approve 3 [danger]"},

		{`{"policy": "mid"}`, `{"approvalStrategy": "mcp_managed"}`, "mcp_managed mid approve 0 []"},
		{`{"policy": "mid"}`, `{"n": 10, "approvalStrategy": "mcp_managed"}`, "mcp_managed mid approve 10 [ten]"},
		{`{"policy": "mid"}`, `{"n": 15, "approvalStrategy": "mcp_managed"}`, "mcp_managed mid human 15 [five ten]"},
		{`{"policy": "mid"}`, `{"n": 20, "approvalStrategy": "mcp_managed"}`, "mcp_managed mid human 20 [ten ]"},
		{`{"policy": "mid"}`, `{"n": 25, "approvalStrategy": "mcp_managed"}`, "mcp_managed mid deny 25 [five ten ]"},
		{`{"policy": "mid"}`, `{"n": 25, "approvalStrategy": "mcp_managed", "approvalPolicy": "high"}`, "mcp_managed high approve 25 [five ten ]"},
		{`{"policy": "high"}`, `{"prompt": "night", "approvalPolicy": "low"}`, `mcp_managed low deny 1 [night]: low denies "night" whatever the score`},
		{`{"policy": "high"}`, `{"n": 5, "approvalPolicy": "other"}`, "mcp_managed other deny 5 [five]"},

		// Naming a policy is asking for it, unless legacy is asked for as well.
		{`{"policy": "mid"}`, `{"n": 5, "approvalPolicy": "low"}`, "mcp_managed low human 5 [five]"},
		{`{"policy": "mid"}`, `{"n": 5, "approvalPolicy": "low", "approvalStrategy": "legacy"}`, "legacy  approve 5 [five]"},
		{`{"policy": "mid", "strategy": "mcp_managed"}`, `{"n": 25}`, "mcp_managed mid deny 25 [five ten ]"},
		{`{"policy": "mid", "strategy": "mcp_managed"}`, `{"n": 25, "approvalStrategy": "legacy"}`, "legacy  approve 25 [five ten ]"},

		// Without a policy to decide nothing is approved.
		{`{"strategy": "mcp_managed"}`, `{}`, `mcp_managed  deny 0 []: there is no policy "" (gateway.approvals.policy)`},
		{`{"enforce": true}`, `{"approvalPolicy": "high"}`, `mcp_managed  deny 0 []: there is no policy "" (gateway.approvals.policy)`},

		{`{"policy": "mid", "enforce": true}`, `{"n": 15}`, "mcp_managed mid human 15 [five ten]"},
		{`{"policy": "mid", "enforce": true}`, `{"n": 15, "approvalStrategy": "legacy"}`, "mcp_managed mid human 15 [five ten]"},
		{`{"policy": "mid", "enforce": true}`, `{"n": 5, "approvalPolicy": "low"}`, "mcp_managed low human 5 [five]"},
		{`{"policy": "mid", "enforce": true}`, `{"n": 5, "approvalPolicy": "mid"}`, "mcp_managed mid approve 5 [five]"},
		{`{"policy": "mid", "enforce": true}`, `{"n": 25, "approvalPolicy": "high"}`, "mcp_managed mid deny 25 [five ten ]: high was asked for, and gateway.approvals.enforce allows only mid and what it includes"},
		{`{"policy": "mid", "enforce": true}`, `{"approvalPolicy": "other"}`, "mcp_managed mid approve 0 []: other was asked for, and gateway.approvals.enforce allows only mid and what it includes"},
	} {
		set, settings := compile(t, fmt.Sprintf(specs, c.settings))
		d := Decide(set, settings, question(t, set, c.args))
		got := fmt.Sprint(d.Strategy, " ", d.Policy, " ", d.Verdict, " ", d.Score, " ", ids(d.Reasons))
		if d.Note != "" {
			got += ": " + d.Note
		}
		if got != c.want {
			t.Errorf("%s %s\ngot  %s\nwant %s", c.settings, c.args, got, c.want)
		}
	}
}

func ids(hits []Hit) []string {
	out := []string{}
	for _, hit := range hits {
		out = append(out, hit.ID)
	}
	return out
}

func TestEachAndWider(t *testing.T) {
	for _, c := range []struct{ settings, args, each, wider string }{
		{`{}`, `{"prompt": "x"}`, "[legacy approve low approve mid approve high approve other approve]", "[low mid high other]"},
		{`{"danger": "deny"}`, `{"prompt": "x", "yolo": true, "n": 5}`, "[legacy deny low human mid approve high approve other deny]", "[mid high]"},
		{`{}`, `{"prompt": "night", "n": 15}`, "[legacy approve low deny mid human high approve other deny]", "[high]"},
		{`{"enforce": true, "policy": "mid"}`, `{"prompt": "x", "n": 5}`, "[legacy approve low human mid approve high approve other deny]", "[mid]"},
		{`{"enforce": true, "policy": "mid"}`, `{"prompt": "x", "n": 15}`, "[legacy approve low deny mid human high approve other deny]", "[]"},
		{`{"enforce": true}`, `{"prompt": "x"}`, "[legacy approve low approve mid approve high approve other approve]", "[]"},
	} {
		set, settings := compile(t, fmt.Sprintf(specs, c.settings))
		q := question(t, set, c.args)
		each := []string{}
		for _, d := range Each(set, settings, q) {
			if d.Reasons != nil {
				t.Errorf("reasons are repeated: %+v", d)
			}
			each = append(each, d.Policy, string(d.Verdict))
			if d.Policy == "" {
				each[len(each)-2] = d.Strategy
			}
		}
		if got := fmt.Sprint(each); got != c.each {
			t.Errorf("%s %s: got %s, want %s", c.settings, c.args, got, c.each)
		}
		if got := fmt.Sprint(Wider(set, settings, q)); got != c.wider {
			t.Errorf("%s %s: wider %s, want %s", c.settings, c.args, got, c.wider)
		}
	}
}

// rank orders verdicts: what a wider policy says is never lower.
var rank = map[Verdict]int{Deny: 0, Human: 1, Approve: 2}

// TestWhatAStricterPolicyApproves goes through all pairs of small policies: those that
// the compiler lets include each other never contradict that, and where it refuses, they do.
func TestWhatAStricterPolicyApproves(t *testing.T) {
	var policies []lang.PolicySpec
	for approve := range 4 {
		for ask := approve; ask < 5; ask++ {
			for _, deny := range [][]string{nil, {"a"}, {"b"}, {"a", "b"}} {
				for _, human := range []string{"ask", "deny"} {
					policies = append(policies, lang.PolicySpec{Approve: approve, Ask: &ask, Deny: deny, Human: human})
				}
			}
		}
	}
	hits := [][]Hit{nil}
	for score := 1; score <= 5; score++ {
		for _, id := range []string{"a", "b", "c"} {
			hits = append(hits, []Hit{{ID: id, Score: score}}, []Hit{{ID: "c", Score: score}, {ID: id}})
		}
	}
	hits = append(hits, []Hit{{ID: "a"}, {ID: "b"}}, []Hit{{ID: "a"}}, []Hit{{ID: "b"}})
	accepted, refused := 0, 0
	for _, low := range policies {
		for _, high := range policies {
			high.Includes = "low"
			text, err := json.Marshal(map[string]any{"policy": map[string]any{"low": low, "high": high}})
			if err != nil {
				t.Fatal(err)
			}
			var s lang.Spec
			if err := json.Unmarshal(text, &s); err != nil {
				t.Fatal(err)
			}
			ps := lang.NewProblems()
			Compile(&s, nil, false, ps)
			passes := len(*ps.List) == 0
			kept := !slices.ContainsFunc(hits, func(h []Hit) bool {
				return rank[Under(&Policy{Name: "high", PolicySpec: high}, h).Verdict] < rank[Under(&Policy{Name: "low", PolicySpec: low}, h).Verdict]
			})
			switch {
			case passes == kept && kept:
				accepted++
			case passes == kept:
				refused++
			case passes:
				t.Fatalf("%s: the compiler lets pass what does not hold", text)
			case !overcautious(low, high):
				t.Fatalf("%s: refused, and holds: %v", text, *ps.List)
			}
		}
	}
	if accepted < 500 || refused < 500 {
		t.Errorf("only %d accepted and %d refused", accepted, refused)
	}
}

// overcautious pairs hold although a rule is denied always by the wider policy alone:
// the stricter one would have to let no call with that rule pass, which is more than
// bounds can say.
func overcautious(low, high lang.PolicySpec) bool {
	return slices.ContainsFunc(high.Deny, func(id string) bool { return !slices.Contains(low.Deny, id) })
}

// FuzzInclusion holds the same of policies and scores of any size.
func FuzzInclusion(f *testing.F) {
	f.Add(9, 50, 50, 100, true, false, "bypass", "", 60, 20, "bypass")
	f.Add(0, 0, 0, 0, false, true, "a", "a", 0, 1, "b")
	f.Fuzz(func(t *testing.T, approve1, ask1, approve2, ask2 int, human1, human2 bool, deny1, deny2 string, score1, score2 int, id string) {
		human := map[bool]string{true: "ask", false: "deny"}
		s := &lang.Spec{}
		text, err := json.Marshal(map[string]any{"policy": map[string]any{
			"low":  lang.PolicySpec{Approve: approve1, Ask: &ask1, Human: human[human1], Deny: []string{deny1}},
			"high": lang.PolicySpec{Approve: approve2, Ask: &ask2, Human: human[human2], Deny: []string{deny2}, Includes: "low"}}})
		if err != nil || json.Unmarshal(text, s) != nil {
			return
		}
		ps := lang.NewProblems()
		c := Compile(s, nil, false, ps)
		if len(*ps.List) > 0 {
			return
		}
		low, _ := c.Policy("low")
		high, _ := c.Policy("high")
		hits := []Hit{{ID: id, Score: score1 % 101}, {ID: "x", Score: score2 % 101}}
		if a, b := Under(low, hits).Verdict, Under(high, hits).Verdict; rank[b] < rank[a] {
			t.Errorf("%s: low says %s, high says %s", text, a, b)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	set, settings := compile(b, fmt.Sprintf(specs, `{"policy": "mid"}`))
	q := question(b, set, `{"prompt": "hi", "n": 15, "yolo": true}`)
	for b.Loop() {
		Decide(set, settings, q)
	}
}
