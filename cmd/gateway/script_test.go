package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"gateway":    gateway,
		standInName:  main,
		"fake-agent": fakeAgent,
		"fake-help":  fakeHelp,
		"rows":       rows,
	})
}

// gateway is the program, for which $SITE is the site's folder.
func gateway() {
	if dir := os.Getenv("SITE"); dir != "" {
		engine.SiteDir = dir
	}
	main()
}

// TestScript runs commands as a person does; each file is one behaviour.
// GATEWAY_UPDATE=1 rewrites what they are expected to print.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       os.Getenv("GATEWAY_UPDATE") != "",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			env.Setenv("HOME", home)
			env.Setenv("LLM_GATEWAY_DEDUP_WINDOW_MS", "0") // the same calls are made again and again
			return os.MkdirAll(home, 0o700)                // a script may bring files of it
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"alone": alone,
			"exits": exits,
			"jobid": jobID,
			"paste": paste,
			"tidy":  tidy,
		},
	})
}

// exits CODE PROGRAM ARGS... runs a program that must end with the code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// alone leaves on the PATH what the tests bring: what else is installed on a machine
// would have a say.
func alone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: alone")
	}
	own, _, _ := strings.Cut(ts.Getenv("PATH"), string(filepath.ListSeparator))
	ts.Setenv("PATH", own)
}

// jobID NAME FROM sets a variable to the id in the output of a call.
func jobID(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: jobid NAME stdout|FILE")
	}
	var job struct{ JobID string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &job))
	ts.Setenv(args[0], job.JobID)
}

// tidy FROM TO copies output without what differs from run to run.
func tidy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tidy stdout|stderr FILE")
	}
	text := ts.ReadFile(args[0])
	for _, known := range []struct{ name, dir string }{{"$WORK", ts.Getenv("WORK")}, {"$BIN", strings.Split(ts.Getenv("PATH"), string(filepath.ListSeparator))[0]}} {
		text = strings.ReplaceAll(text, known.dir, known.name)
	}
	for _, r := range volatile {
		text = r.pattern.ReplaceAllString(text, r.with)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

var volatile = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`("jobId": ?"|jobId=|"job":"|job=|Job |job )[0-9a-z]{26}`), "${1}JOB"},
	{regexp.MustCompile(`("durationMs": ?|durationMs=)[0-9]+`), "${1}N"},
	{regexp.MustCompile(`("ms":|\bms=)[0-9]+`), "${1}N"},
	{regexp.MustCompile(`("time":"|\btime=)[0-9TZ:.+-]+`), "${1}NOW"},
	{regexp.MustCompile(`looked (in|for in) [^\n"]*`), "looked $1 ..."},
}

// fakeAgent is an agent that does what its options say, in their order. Options that
// it does not know are ignored.
func fakeAgent() {
	answer := json.NewEncoder(os.Stdout)
	say := func(text string) { _ = answer.Encode(map[string]any{"type": "answer", "text": text}) }
	for _, arg := range os.Args[1:] {
		option, value, _ := strings.Cut(arg, "=")
		switch option {
		case "--echo":
			prompt, _ := io.ReadAll(os.Stdin)
			say(string(prompt))
		case "--say":
			say(value)
		case "--say-args":
			say(strings.Join(os.Args[1:], " "))
		case "--say-env":
			v, set := os.LookupEnv(value)
			say(fmt.Sprintf("%s=%q set=%v", value, v, set))
		case "--say-dir":
			dir, _ := os.Getwd()
			say(dir)
		case "--print":
			fmt.Println(value)
		case "--type": // no whole line
			fmt.Print(value)
		case "--complain":
			fmt.Fprintln(os.Stderr, value)
		case "--exit":
			code, _ := strconv.Atoi(value)
			os.Exit(code)
		case "--await", "--await-too": // the writer of a FIFO
			if gate, err := os.Open(value); err == nil {
				gate.Close()
			}
		case "--hang": // until killed: a signal that is never sent keeps it waiting
			never := make(chan os.Signal, 1)
			signal.Notify(never, syscall.SIGHUP)
			<-never
		}
	}
}

// rows FIELD... prints fields of the recorded calls, oldest first, one call a line.
func rows() {
	e, diags := engine.Open(engine.Options{Environ: os.Environ()})
	if e == nil {
		panic(fmt.Sprint(diags))
	}
	record, err := e.Record()
	if err != nil {
		panic(err)
	}
	jobs, err := record.Jobs(context.Background(), store.Filter{Principal: store.Local})
	if err != nil {
		panic(err)
	}
	for i := len(jobs) - 1; i >= 0; i-- {
		job, err := record.Job(context.Background(), store.Local, jobs[i].ID)
		if err != nil {
			panic(err)
		}
		cells := []string{}
		for _, field := range os.Args[1:] {
			cells = append(cells, cell(job, field))
		}
		fmt.Println(strings.Join(cells, " | "))
	}
}

func cell(job store.Job, field string) string {
	switch field {
	case "tool":
		return job.Tool
	case "mode":
		return job.Mode
	case "state":
		return string(job.State)
	case "end":
		return string(job.Outcome.Ending)
	case "class":
		return job.Outcome.ErrorClass
	case "exit":
		if job.Outcome.ExitCode == nil {
			return "-"
		}
		return strconv.Itoa(*job.Outcome.ExitCode)
	case "prompt":
		return job.Prompt
	case "response":
		return job.Outcome.Response
	case "args":
		return string(job.Args)
	case "argv":
		return strings.Join(job.Argv, " ")
	case "env":
		return strings.Join(job.EnvNames, " ")
	case "correlation":
		return job.CorrelationID
	case "approval":
		return string(job.Approval)
	case "client":
		return job.ClientName
	}
	panic("no field " + field)
}
