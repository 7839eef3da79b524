package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// fakeHelp is an agent that answers with the file $HOME/help/WORDS, and notes in
// $HOME/asked what it was asked. It ends with 2 where there is no such file.
func fakeHelp() {
	words := strings.Join(os.Args[1:], " ")
	input, _ := io.ReadAll(os.Stdin) // would wait for ever if somebody held it open
	here, _ := os.Getwd()
	left, _ := os.ReadDir(here)
	home := os.Getenv("HOME")
	asked, err := os.OpenFile(filepath.Join(home, "asked"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		stray := 0
		for _, entry := range left {
			if entry.Name() != "stdout" && entry.Name() != "stderr" {
				stray++
			}
		}
		fmt.Fprintf(asked, "%s (input %d bytes, files %d, secret %q)\n", words, len(input), stray, os.Getenv("OTHER_SECRET"))
		asked.Close()
	}
	text, err := os.ReadFile(filepath.Join(home, "help", words))
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: unexpected %q\n", words)
		os.Exit(2)
	}
	os.Stdout.Write(text)
}
