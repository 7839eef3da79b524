package engine_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
)

// TestDecodeRealOutput decodes what the real programs printed. The folder of a case
// names the CLI; GATEWAY_UPDATE=1 rewrites what must come out ("want").
func TestDecodeRealOutput(t *testing.T) {
	catalog := builtIn(t).Catalog
	names, err := filepath.Glob(filepath.Join("..", "testdata", "decode", "*", "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range names {
		folder := filepath.Base(filepath.Dir(name))
		t.Run(folder+"/"+strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			cli, ok := catalog.CLI(folder)
			if !ok {
				t.Fatalf("no built-in spec is named like the folder %s", folder)
			}
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string]string{}
			for _, f := range archive.Files {
				files[f.Name] = string(f.Data)
			}
			run := ended(t, strings.TrimSpace(files["exit"]))
			run.Stdout, run.Stderr = strings.NewReader(files["stdout"]), files["stderr"]
			call := recorded(t, cli, files["cmd"])
			answer, err := call.Decode(run)
			if err != nil {
				t.Fatal(err)
			}
			got := printAnswer(call, answer)
			if got == files["want"] {
				return
			}
			if os.Getenv("GATEWAY_UPDATE") == "" {
				t.Fatalf("got:\n%swant:\n%s", got, files["want"])
			}
			archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
			archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
			if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// ended reads how a recorded run ended: a code, or minus the number of a signal.
func ended(t *testing.T, exit string) extract.Run {
	t.Helper()
	code, err := strconv.Atoi(exit)
	if err != nil {
		t.Fatalf("exit: %v", err)
	}
	if signal, ok := map[int]string{-2: "SIGINT", -9: "SIGKILL", -15: "SIGTERM"}[code]; ok {
		return extract.Run{Exit: -1, Signal: signal}
	}
	return extract.Run{Exit: code}
}

// recorded is the call that comes nearest to the recorded command line, which says
// the conversation that was asked for.
func recorded(t *testing.T, cli *catalog.CLI, cmd string) *catalog.Call {
	t.Helper()
	prompt, words := "x", []string{}
	for line := range strings.Lines(cmd) {
		key, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "argv":
			words = strings.Fields(rest)
		case "stdin":
			if text, err := strconv.Unquote(rest); err == nil && text != "" {
				prompt = text
			}
		}
	}
	candidates := []map[string]any{{}, {"resumeLatest": true}}
	for _, word := range words {
		_, id, joined := strings.Cut(word, "=")
		if !joined {
			id = word
		}
		candidates = append(candidates, map[string]any{"sessionId": id}, map[string]any{"sessionId": id, "createNewSession": true})
	}
	var best *catalog.Call
	most := math.MinInt
	for _, args := range candidates {
		args["prompt"] = prompt
		text, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		call, violations := cli.Bind(text, nil, func() string { return "00000000-0000-4000-8000-000000000000" })
		if violations != nil {
			continue
		}
		command, violations := call.Command("/dev")
		if violations != nil {
			continue
		}
		alike := 0
		for _, word := range command.Args {
			if slices.Contains(words, word) {
				alike++
			}
		}
		if 2*alike-len(command.Args) > most {
			best, most = call, 2*alike-len(command.Args)
		}
	}
	if best == nil {
		t.Fatal("no call gives a command line like the recorded one")
	}
	return best
}

// printAnswer writes an answer for people; what it does not hold is left out.
func printAnswer(call *catalog.Call, a extract.Answer) string {
	var b strings.Builder
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, strconv.Quote(value))
		}
	}
	line("mode", string(call.Mode))
	line("text", a.Text)
	line("session", a.SessionID)
	line("model", a.Model)
	for _, name := range slices.Sorted(maps.Keys(a.Usage)) {
		fmt.Fprintf(&b, "%s: %d\n", name, a.Usage[name])
	}
	line("scope", a.Scope)
	if a.CostUSD != nil {
		fmt.Fprintln(&b, "cost:", *a.CostUSD)
	}
	line("cost scope", a.CostScope)
	for _, w := range a.Warnings {
		line("warning", w)
	}
	if f := a.Failure; f != nil {
		line("class", f.Class)
		line("error", f.Message)
		line("hint", f.Hint)
		if f.Retryable {
			fmt.Fprintf(&b, "retry: after %d ms\n", f.RetryAfterMs)
		}
	}
	return b.String()
}
