package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// TestAnySpec makes specs at random. Whatever the compiler lets through must keep
// hostile values from being options, and must not drop an argument in silence.
func TestAnySpec(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	specs, good, calls := 12_000, 0, 0
	if testing.Short() {
		specs = 1_000
	}
	for range specs {
		spec := &lang.Spec{CLI: lang.MapOf("acme", langtest.RandomCLI(r))}
		catalog, _ := Compile(spec)
		if catalog == nil {
			continue
		}
		good++
		cli := catalog.CLIs[0]
		checker := newRuleChecker(cli)
		for range 12 {
			var args bytes.Buffer
			randomArgs(r, cli, &args)
			cmd, fault := checker.check(cli, args.Bytes())
			if fault == "" && cmd != nil {
				calls++
				fault = dropped(cli, args.Bytes(), *cmd)
			}
			if fault != "" {
				text, _ := json.Marshal(spec)
				t.Fatalf("%s\n%s\n%s", text, args.Bytes(), fault)
			}
		}
	}
	if good < specs/20 || calls < good {
		t.Errorf("%d of %d specs were good, %d calls: the test sees too little", good, specs, calls)
	}
}

// dropped names an argument without which the command is the same.
func dropped(cli *CLI, args []byte, with Command) string {
	given, wrong := cli.arguments(args, nil)
	if wrong != nil {
		return wrong.Error()
	}
	for _, p := range cli.params {
		v, ok := given[p.Name]
		if !ok || p.role != "" || !p.Writes(v) || v == p.Default || p.Default != nil {
			continue
		}
		less := maps.Clone(given)
		delete(less, p.Name)
		call, violations := cli.Bind(text.MustJSON(less), nil, langtest.IDs())
		if violations != nil {
			continue
		}
		without, violations := call.Command("/private")
		if violations == nil && slices.Equal(without.Args, with.Args) && maps.Equal(without.Env, with.Env) {
			return fmt.Sprintf("%s is dropped from %q", p.Name, with.Args)
		}
	}
	return ""
}
