package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// repeated stands for a text too long to write down: REPEAT(x,3) is xxx.
var repeated = regexp.MustCompile(`REPEAT\(([^,()]+),(\d+)\)`)

func repeat(s string) string {
	m := repeated.FindStringSubmatch(s)
	n, _ := strconv.Atoi(m[2])
	return strings.Repeat(m[1], n)
}

func TestArgv(t *testing.T) {
	archives(t, "argv", func(t *testing.T, files map[string]string) string {
		cli := compiled(t, specText(t, files)).At(strings.TrimSpace(files["version"]))
		args := repeated.ReplaceAllStringFunc(files["args.json"], repeat)
		args = strings.ReplaceAll(args, "BYTE(ff)", "\xff")
		call, violations := cli.Bind(json.RawMessage(args), strings.Fields(files["injected"]), ids())
		if violations == nil {
			var cmd Command
			if cmd, violations = call.Command("/private"); violations == nil {
				return render(call, cmd)
			}
		}
		var b strings.Builder
		for _, v := range violations {
			fmt.Fprintf(&b, "refused %s\n", shown(Violations{v}.Error()))
		}
		return b.String()
	})
}

// render writes a command for people: words, standard input, variables, and how the
// model was found.
func render(call *Call, cmd Command) string {
	var b strings.Builder
	for _, word := range cmd.Args {
		fmt.Fprintln(&b, shown(word))
	}
	if cmd.Stdin != nil {
		fmt.Fprintln(&b, "stdin:", shown(*cmd.Stdin))
	}
	for _, name := range slices.Sorted(maps.Keys(cmd.Env)) {
		fmt.Fprintf(&b, "env: %s=%s\n", name, shown(cmd.Env[name]))
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
		fmt.Fprintf(&b, "model: %s, %s\n", shown(step.Word), step.From)
	}
	return b.String()
}
