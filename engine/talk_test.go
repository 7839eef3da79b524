//go:build unix

package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// talks is the folder in which the fake keeps its conversations, a file each with the
// number of its turns.
const talks = "ACME_TALKS"

// talk is a turn of a conversation of the fake: of a new one, under a given id or one of
// its own, of a known one, or, without a word if there is none, of the newest.
func talk(how, id string) error {
	folder := os.Getenv(talks)
	switch how {
	case "start":
		id = store.NewID()
	case "latest":
		entries, err := os.ReadDir(folder)
		if err != nil {
			return err
		}
		id = store.NewID()
		for _, e := range entries { // ids of its own sort by time
			id = e.Name()
		}
	}
	file := filepath.Join(folder, id)
	text, err := os.ReadFile(file)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case how == "create" && err == nil:
		return fmt.Errorf("the id %s is in use", id)
	case how == "resume" && err != nil:
		return fmt.Errorf("the conversation %s is unknown", id)
	}
	turns, _ := strconv.Atoi(string(text))
	if err := os.WriteFile(file, []byte(strconv.Itoa(turns+1)), 0o600); err != nil {
		return err
	}
	if os.Getenv("ACME_MUTE") != "" {
		return nil
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]string{"id": id, "result": fmt.Sprintf("turn %d", turns+1)})
}
