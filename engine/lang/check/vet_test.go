package check

import (
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

// cliOf is the only CLI of a spec that must be without problems.
func cliOf(t testing.TB, text []byte) *catalog.CLI {
	t.Helper()
	c, problems := catalog.Compile(langtest.Read(t, text))
	if c == nil {
		t.Fatalf("the spec has problems: %v", problems)
	}
	return c.CLIs[0]
}

func TestProofs(t *testing.T) {
	cli := cliOf(t, langtest.Spec(t, "acme"))
	got := map[string]string{}
	for _, proof := range Proofs(cli) {
		if !proof.Safe {
			t.Errorf("%s is not safe: %s", proof.Param, proof.How)
		}
		got[proof.Param] = proof.How
	}
	for name, want := range map[string]string{
		"name": "--name=--evil", "short": "refused: begins with a dash and would be read as an option", "joined": "-j=--evil", "files": `after "--"`,
		"token": "not in the command line", "prompt": "over standard input", "sessionId": "refused: not an id", "tags": "--tags=--evil",
		"effort": `effort="--evil"`, "target": "refused: begins with a dash and would be read as an option", "keys": `--set=["--evil"]`,
		"level": `refused: must be "low", "medium" or "high", not "--evil"`, "deep": "",
	} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
	loose := cliOf(t, []byte(`{"bin":"acme","argv":["{session}"],"session":{"id":"x","create":["--id={id}"],"resume":["-r","{id}"]}}`))
	for _, proof := range Proofs(loose) {
		if proof.Param == catalog.ParamSessionID && (!proof.Safe || proof.How != "refused: not an id") {
			t.Errorf("a loose grammar of ids: %+v", proof)
		}
	}
	id, _ := loose.Param(catalog.ParamSessionID)
	if proof := prove(loose, loose.Try, id, "--evil=x"); !proof.Safe || !strings.Contains(proof.How, "begins with a dash") {
		t.Errorf("an id that passes the grammar: %+v", proof)
	}
}

// TestVetSeesInjection has commands rendered by one who does not know where options end.
func TestVetSeesInjection(t *testing.T) {
	cli := cliOf(t, []byte(`{"bin":"acme","argv":["{one}"],"params":{"one":{"doc":"x"}}}`))
	found := func(probe probe) []lang.Problem {
		ps := lang.NewProblems()
		proven(cli, probe, ps)
		return *ps.List
	}
	if found := found(cli.Try); len(found) > 0 {
		t.Fatalf("nothing is wrong yet: %v", found)
	}
	careless := func(p *catalog.Param, _ lang.Mode, value string) (catalog.Command, catalog.Violations) {
		if p.Name != "one" {
			return cli.Try(p, lang.New, value)
		}
		return catalog.Command{Args: []string{value}}, nil
	}
	if found := found(careless); len(found) != 1 || found[0].Error() != `params.one: a value can be read as an option: --evil` {
		t.Errorf("got %v", found)
	}
}
