// Package storedcall keeps the calls of jobs that wait for a person, so that a gateway can
// start a job which another one accepted.
//
// They are files of the user's beside the directories of jobs, and not in the record, because
// they hold the arguments as they were sent. It hides their form, and how a call is made of
// one again. It must not know how a job is run.
package storedcall

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Call is what a job needs beside its row to be started.
type Call struct {
	Args    json.RawMessage // an object, as it was sent
	Roots   []string
	Depth   int // of calls inside of calls
	Access  access.Access
	Place   catalog.Place
	Kept    catalog.Kept // what the call took over from its conversation
	Command string       // Digest of what a person is asked about

	CLI     string `json:",omitempty"` // of one that is made instead of another; "" for that of the row
	Instead []Call `json:",omitempty"` // that are made if this one fails
}

// Of is the call as it is kept, with the arguments by which it was bound.
func Of(bound *catalog.Call, args json.RawMessage, roots []string, depth int) Call {
	return Call{Args: args, Roots: roots, Depth: depth, Access: bound.Access, Place: bound.Place, Kept: bound.Inherited()}
}

const prefix, suffix = "waiting-", ".json"

// Path is where the call of a job is, in the folder of the directories of jobs.
func Path(folder, id string) string { return filepath.Join(folder, prefix+id+suffix) }

// IDs are the jobs in a folder of which there is a call.
func IDs(folder string) (ids []string) {
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		if id, found := strings.CutPrefix(strings.TrimSuffix(e.Name(), suffix), prefix); found {
			ids = append(ids, id)
		}
	}
	return ids
}

// Save writes the call of a job to the disk. The folder is made when needed.
func Save(folder, id string, c Call) error {
	text, err := json.Marshal(c)
	if err == nil {
		err = os.MkdirAll(folder, 0o700)
	}
	if err != nil {
		return err
	}
	file, err := os.OpenFile(Path(folder, id), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Sync(), file.Close())
}

// Load reads the call of a job.
func Load(folder, id string) (c Call, err error) {
	text, err := os.ReadFile(Path(folder, id))
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	return c, err
}

// For is the row as that of the call, which is made instead of the one that has it: another
// CLI begins a conversation of its own.
func (c Call) For(row store.Job) store.Job {
	row.Model = ""
	if c.CLI != row.CLI {
		row.CLI, row.CLIVersion, row.Mode, row.Session, row.SessionID, row.Opens = c.CLI, "", string(lang.New), "", "", false
	}
	return row
}

// Bind makes the call of a row again, as the turn of the session that it was.
func (c Call) Bind(current *catalog.Catalog, row store.Job) (*catalog.Call, error) {
	cli, ok := current.CLI(row.CLI)
	if !ok {
		return nil, fmt.Errorf("there is no spec of %s", row.CLI)
	}
	args := map[string]json.RawMessage{}
	if len(c.Args) > 0 {
		if err := json.Unmarshal(c.Args, &args); err != nil {
			return nil, err
		}
	}
	if _, given := args[catalog.ParamModel]; given && row.Model != "" { // an alias may mean another one by now
		args[catalog.ParamModel], _ = json.Marshal(row.Model)
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	call, wrong := cli.At(row.CLIVersion).Bind(raw, current.Settings.Injected, func() string { return row.CorrelationID })
	if wrong == nil {
		call, wrong = call.InConversation(row.Session, lang.Mode(row.Mode), row.SessionID, c.Kept)
	}
	if wrong != nil {
		return nil, wrong
	}
	if c.Access.Level == "" {
		return call, nil
	}
	return call.WithAccess(c.Access, c.Place), nil
}

// Digest identifies what a command would run.
func Digest(c catalog.Command) string {
	text, err := json.Marshal([]any{c.Bin, c.Args, c.Stdin, c.Files, c.Env, c.Drop})
	if err != nil {
		panic("storedcall: a command is plain data and always encodes: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
