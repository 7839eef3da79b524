package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/configedit"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/editorschema"
	"github.com/llm-cli-gateway/gateway/schema"
)

// InitFolder returns what has to be written to a folder so that editors and CUE's own
// tools help to write specs in it.
// The access, if it is not empty, becomes the default of calls that do not say.
func InitFolder(dir, access string) ([]configedit.Step, error) {
	yaml, err := editorschema.JSONSchema()
	if err != nil {
		return nil, err
	}
	made := "Created by gateway init, which updates it unless it was modified. " + configedit.Seal
	pieces := []configedit.Piece{
		{Path: "cue.mod/module.cue", Text: []byte("// " + made + "\n" + schema.Module)},
		{Path: "cue.mod/pkg/" + schema.Import + "/schema.cue", Text: []byte("// " + made + "\n\n" + schema.Text)},
		{Path: "spec.schema.json", Text: append(fmt.Appendf(nil, "{\n  \"$comment\": %q,", made), yaml[1:]...)},
		{Path: "mine.cue", Text: []byte(schema.Starter), Starter: true},
	}
	if access != "" {
		pieces = append(pieces, configedit.Piece{Path: AccessFile, Starter: true,
			Text: fmt.Appendf(nil, "// What calls may do that do not say: read, edit, full, or own (what the agent's settings say).\npackage gateway\n\ngateway: access: default: %q\n", access)})
	}
	return configedit.Prepare(dir, pieces)
}

// AccessFile is the file of the user's folder that InitFolder writes the default access to.
const AccessFile = "access.cue"

// Client is an MCP client, and whether the gateway is configured in it on this machine.
type Client struct {
	Name string
	lang.ClientSpec
	File       string // to which the gateway is added, "" if unknown
	Found      bool   // files of the client exist on this machine
	Configured string // file that names a gateway, "" if none does
}

// Clients looks for all MCP clients that the catalog knows.
func Clients(catalog *catalog.Catalog, environ []string, program string) ([]Client, error) {
	h := host.New(environ, catalog.Settings.Path, catalog.Settings.EnvFile)
	variables, err := h.Variables()
	if err != nil {
		return nil, err
	}
	d := &doctor{program: program, variables: variables}
	var all []Client
	for name, c := range catalog.Clients.All() {
		client := Client{Name: name, ClientSpec: c, File: variables.Place(c.Config.File.For(runtime.GOOS))}
		if detail, ok := d.client(name, c).Detail.(clientDetail); ok {
			client.Configured, client.Found = detail.File, len(detail.Looked) > 0
		}
		if folder := filepath.Dir(client.File); client.File != "" && folder != homeDir() {
			_, err := os.Stat(folder)
			client.Found = client.Found || err == nil
		}
		if cli, ok := catalog.CLI(name); ok && !client.Found {
			_, err := h.Find(cli.Bin)
			client.Found = err == nil
		}
		all = append(all, client)
	}
	return all, nil
}

// Settings is the change that adds the gateway to the client's settings.
func (c Client) Settings(program string) (configedit.Change, error) {
	return configedit.Settings(c.File, configedit.NewEntry(append(append([]string{}, c.Config.Key...), serverName), c.Config.Entry, program))
}

// serverName is what the gateway is called in settings of clients.
const serverName = "gateway"
