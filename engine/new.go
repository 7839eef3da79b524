package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/configedit"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/lang/author"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/schema"
)

// NewSpec describes a new spec.
type NewSpec struct {
	Name    string   // of the CLI
	Bin     string   // its program; "": the name
	Command []string // words of the subcommand that answers a prompt
	Ask     bool     // ask the program for its options
	YAML    bool
	Dir     string // folder for the file
	Catalog *catalog.Catalog
	Environ []string
}

// New is a file with the draft of a spec. It passes vet. Nothing is written yet, and a
// file that is there already is an error, as is a CLI of that name.
func New(ctx context.Context, n NewSpec) (configedit.Change, error) {
	d := author.Draft{Name: n.Name, Bin: n.Bin, Command: n.Command, YAML: n.YAML, Without: map[string]string{}}
	if d.Bin == "" {
		d.Bin = strings.ReplaceAll(n.Name, "_", "-")
	}
	if cli, taken := n.Catalog.CLI(n.Name); taken {
		return configedit.Change{}, fmt.Errorf("the CLI %q already exists (%s); to change it, write only what differs: cli: %s: ...", n.Name, cli.DisplayName(), n.Name)
	}
	if _, err := os.Stat(filepath.Join(n.Dir, "cue.mod", "pkg", filepath.FromSlash(schema.Import))); err == nil {
		d.Schema = true
	}
	for _, ext := range []string{".cue", ".yaml", ".yml"} {
		file := filepath.Join(n.Dir, n.Name+ext)
		if _, err := os.Lstat(file); err == nil {
			return configedit.Change{}, fmt.Errorf("%s already exists", file)
		}
	}
	file, catalog, err := drafted(&d)
	if err != nil {
		return configedit.Change{}, err
	}
	if n.Ask {
		cli, _ := catalog.CLI(n.Name)
		h := host.New(n.Environ, n.Catalog.Settings.Path, n.Catalog.Settings.EnvFile)
		words := append(append([]string{}, n.Command...), "--help")
		text, err := installed.Patient(h).Help(ctx, n.Catalog, cli, words)
		if err != nil {
			return configedit.Change{}, fmt.Errorf("%s cannot be asked for its options: %w", d.Bin, err)
		}
		help := author.ParseHelp(text)
		d.Help = &help
		if file, _, err = drafted(&d); err != nil {
			return configedit.Change{}, err
		}
	}
	change, err := configedit.Open(filepath.Join(n.Dir, file.Name))
	change.New = file.Data
	return change, err
}

// drafted writes the draft, and leaves out parameters that a spec cannot have, until it
// passes.
func drafted(d *author.Draft) (specfiles.File, *catalog.Catalog, error) {
	file := specfiles.File{Name: d.Name + ".cue"}
	if d.YAML {
		file.Name = d.Name + ".yaml"
	}
	for {
		file.Data = d.Write()
		if text, wrong := load.Format(file, false, load.Evaluation{}); wrong == nil {
			file.Data = text
		}
		result := load.Load([]load.Layer{{Name: "draft", Files: []specfiles.File{file}}}, load.Options{Vet: true})
		better := false
		var first error
		for _, diag := range result.Diagnostics {
			name, inside := strings.CutPrefix(diag.Path, "cli."+d.Name+".params.")
			name, _, _ = strings.Cut(name, ".")
			switch {
			case inside && d.Without[name] == "":
				d.Without[name], better = diag.Message, true
			case first == nil && diag.Severity == diagnostic.Error:
				first = errors.New(diag.String())
			}
		}
		switch {
		case better:
		case first != nil:
			return file, nil, fmt.Errorf("cannot create a valid spec: %w", first)
		default:
			return file, result.Catalog, nil
		}
	}
}
