package main

import (
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// paste FROM CLI FILE makes a spec of output that is an element of the examples of a CLI.
func paste(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: paste stdout CLI FILE")
	}
	text := "cli: " + args[1] + ": examples: [\n" + ts.ReadFile(args[0]) + "]\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(text), 0o600))
}
