package real

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/testdata/modelserver"
)

type measured struct {
	Name, CLI string
	Words     [][]string // per turn
	Env       map[string]string
	Files     map[string]string
	Tries     []int // empty: all
	Plain     bool  // no worst settings
	Sub       string
	Drop      []string
	Show      bool
}

func TestMeasure(t *testing.T) {
	data, err := os.ReadFile(os.Getenv("MEASURE"))
	if err != nil {
		t.Skip()
	}
	var all []measured
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		t.Run(m.Name, func(t *testing.T) { t.Parallel(); measure(t, m) })
	}
}

func measure(t *testing.T, m measured) {
	var c cli
	for _, x := range clis {
		if x.name == m.CLI {
			c = x
		}
	}
	p := newPlace(t)
	s := modelserver.New()
	defer s.Close()
	scenario := "ok"
	if worsts[c.name].write != nil {
		list := p.tries(c)
		if m.Tries != nil {
			var some []try
			for _, i := range m.Tries {
				some = append(some, list[i])
			}
			list = some
		}
		scenario = "tries:" + encode(list)
	}
	env, files := c.setup(s.Base(scenario))
	if worsts[c.name].files != nil && !m.Plain {
		f2 := map[string]string{}
		for k, v := range files {
			f2[k] = v
		}
		worsts[c.name].files(p, f2)
		files = f2
	}
	for k, v := range files {
		p.write(filepath.Join(p.home, k), v)
	}
	sub := strings.NewReplacer("{home}", p.home, "{work}", p.work, "{outside}", p.outside, "{traces}", p.traces, "{json}", encode(p.work), "{given}", encode(map[string]any{"mcpServers": map[string]any{"given": p.server("given")}}),
		"{givencopilot}", encode(map[string]any{"mcpServers": map[string]any{"given": map[string]any{"type": "local", "command": p.server("given")["command"], "args": p.server("given")["args"], "tools": []string{"*"}}}}),
		"{gcmd}", encode(p.server("given")["command"]), "{gargs}", encode(p.server("given")["args"]),
		"{glist}", encode(append([]string{p.server("given")["command"].(string)}, p.server("given")["args"].([]string)...)),
	)
	for k, v := range m.Files {
		p.write(filepath.Join(p.home, k), sub.Replace(v))
	}
	git(p, "add", "-A")
	for turn, words := range m.Words {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Second)
		var w []string
		for _, x := range words {
			if strings.Contains(x, "{cwd.outside}") {
				for _, g := range outsideGlobs(p.work) {
					w = append(w, strings.ReplaceAll(x, "{cwd.outside}", g))
				}
				continue
			}
			w = append(w, sub.Replace(x))
		}
		cmd := exec.CommandContext(ctx, filepath.Join(clisDir, "node_modules/.bin", c.name), w...)
		cmd.WaitDelay = time.Second
		cmd.Dir = filepath.Join(p.work, m.Sub)
		cmd.Env = []string{"HOME=" + p.home, "PATH=" + searchPath, "TMPDIR=" + filepath.Join(p.home, "tmp")}
		for _, e := range []map[string]string{env, worsts[c.name].env, m.Env} {
			for k, v := range e {
				drop := false
				for _, d := range m.Drop {
					drop = drop || d == k
				}
				if !drop {
					cmd.Env = append(cmd.Env, k+"="+sub.Replace(v))
				}
			}
		}
		cmd.Stdin = strings.NewReader(fmt.Sprintf("<<<turn %d>>>", turn))
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		began := time.Now()
		err := cmd.Run()
		cancel()
		n := len(s.Requests())
		tools := map[string]bool{}
		bodies := ""
		for _, r := range s.Requests() {
			for _, x := range r.Tools {
				tools[x] = true
			}
			bodies += string(r.Body)
		}
		var names []string
		for k := range tools {
			names = append(names, k)
		}
		sort.Strings(names)
		var e []string
		seen := func(what, path string) {
			if _, err := os.Stat(path); err == nil {
				e = append(e, what)
			}
			os.Remove(path)
		}
		seen("WROTE", filepath.Join(p.work, "wrote"))
		seen("WROTE-OUT", filepath.Join(p.outside, "wrote"))
		seen("WROTE-TMP", filepath.Join(p.home, "tmp", "wrote"))
		seen("RAN", filepath.Join(p.work, "ran"))
		seen("RAN-OUT", filepath.Join(p.outside, "ran"))
		list, _ := filepath.Glob(p.traces + "/*")
		for _, f := range list {
			seen(strings.ToUpper(filepath.Base(f)), f)
		}
		if strings.Contains(bodies, "No commits yet") {
			e = append(e, "git-status")
		}
		if strings.Contains(bodies, insideText) {
			e = append(e, "read")
		}
		if strings.Contains(bodies, outsideText) {
			e = append(e, "read-out")
		}
		tail := out.String()
		if !m.Show && len(tail) > 300 {
			tail = tail[len(tail)-300:]
		}
		et := errs.String()
		if !m.Show && len(et) > 300 {
			et = et[:300]
		}
		answered := strings.Contains(out.String(), fmt.Sprintf("FAKE-REPLY turns=%d", turn+1))
		f, _ := os.OpenFile(os.Getenv("MEASURE")+".out", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		fmt.Fprintf(f, "%s %s turn %d: %v answered=%v requests=%d %.1fs\n   EFFECTS %v\n   tools %v\n", m.CLI, m.Name, turn, err, answered, n, time.Since(began).Seconds(), e, names)
		if !answered || m.Show {
			fmt.Fprintf(f, "   out %s\n   err %s\n", tail, et)
		}
		f.Close()
		if os.Getenv("DUMP") != "" && n > 0 {
			for i, r := range s.Requests() {
				os.WriteFile(fmt.Sprintf("%s.%s.%d.%d.json", os.Getenv("MEASURE"), m.Name, turn, i), r.Body, 0o644)
			}
		}
	}
}

// globs outside of a directory
func outsideGlobs(cwd string) (out []string) {
	p := cwd + "/"
	for i := 1; i < len(p); i++ {
		pre, c := p[:i], p[i]
		out = append(out, pre+"[^"+string(c)+"]*", pre+"[^"+string(c)+"]*/**")
		if c != '/' && pre[len(pre)-1] != '/' {
			out = append(out, pre+"/**")
		}
	}
	return out
}
