package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/langtest"
)

func TestArgv(t *testing.T) {
	langtest.Archives(t, "argv", func(t *testing.T, files map[string]string) string {
		cli := compiled(t, langtest.Text(t, files)).At(strings.TrimSpace(files["version"]))
		args := langtest.Expand(files["args.json"])
		args = strings.ReplaceAll(args, "BYTE(ff)", "\xff")
		call, violations := cli.Bind(json.RawMessage(args), strings.Fields(files["injected"]), langtest.IDs())
		if violations == nil {
			var cmd Command
			if cmd, violations = call.Command("/private"); violations == nil {
				return render(call, cmd)
			}
		}
		var b strings.Builder
		for _, v := range violations {
			fmt.Fprintf(&b, "refused %s\n", langtest.Shown(Violations{v}.Error()))
		}
		return b.String()
	})
}

// render writes a command for people: words, standard input, variables, and how the
// model was found.
func render(call *Call, cmd Command) string {
	var b strings.Builder
	for _, word := range cmd.Args {
		fmt.Fprintln(&b, langtest.Shown(word))
	}
	if cmd.Stdin != nil {
		fmt.Fprintln(&b, "stdin:", langtest.Shown(*cmd.Stdin))
	}
	for _, name := range slices.Sorted(maps.Keys(cmd.Env)) {
		fmt.Fprintf(&b, "env: %s=%s\n", name, langtest.Shown(cmd.Env[name]))
	}
	if call.Mode != lang.New || call.SessionID != "" {
		fmt.Fprintln(&b, "mode:", call.Mode, call.SessionID)
	}
	for _, note := range call.Notes {
		fmt.Fprintln(&b, "note:", note)
	}
	if call.Show != "answer" {
		fmt.Fprintln(&b, "show:", call.Show)
	}
	for _, step := range call.steps {
		fmt.Fprintf(&b, "model: %s, %s\n", langtest.Shown(step.Word), step.From)
	}
	return b.String()
}
