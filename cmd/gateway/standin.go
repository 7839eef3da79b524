package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// standInName is the name under which this program plays an agent: the demo calls
// it so, as demo.cue describes it.
const standInName = "gateway-parrot"

var conversationID = regexp.MustCompile(`^parrot-[0-9]+$`)

// standIn plays a command-line agent: prompt on standard input, records on standard
// output, conversations in its home. It returns the exit code.
func standIn(args []string, in io.Reader, out, errOut io.Writer) int {
	if err := parrot(args, in, out); err != nil {
		fmt.Fprintln(errOut, "parrot:", err)
		return 1
	}
	return 0
}

func parrot(args []string, in io.Reader, out io.Writer) error {
	id, loud := fmt.Sprintf("parrot-%d", time.Now().UnixNano()), false
	for _, arg := range args {
		flag, value, _ := strings.Cut(arg, "=")
		switch flag {
		case "--output":
		case "--resume":
			id = value
		case "--voice":
			loud = value == "loud"
		default:
			return fmt.Errorf("unknown option %s", arg)
		}
	}
	prompt, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	first, err := remember(id, string(prompt))
	if err != nil {
		return err
	}
	answer := fmt.Sprintf("I am only a fake agent. You said: %s", prompt)
	if first != "" {
		answer += fmt.Sprintf(" Before that you said: %s", first)
	}
	if loud {
		answer = strings.ToUpper(answer)
	}
	enc := json.NewEncoder(out)
	return errors.Join(
		enc.Encode(map[string]any{"type": "start", "conversation": id}),
		enc.Encode(map[string]any{"type": "answer", "text": answer}),
		enc.Encode(map[string]any{"type": "end", "words_read": len(strings.Fields(string(prompt))), "words_said": len(strings.Fields(answer))}),
	)
}

// remember keeps the first prompt of a conversation and returns it in later turns.
func remember(id, prompt string) (first string, err error) {
	if !conversationID.MatchString(id) {
		return "", fmt.Errorf("unknown conversation %s", id)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	file := filepath.Join(home, id+".txt")
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return "", os.WriteFile(file, []byte(prompt), 0o600)
	}
	return string(data), err
}
