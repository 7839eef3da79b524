package catalog

import (
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/argvtemplate"
	"github.com/llm-cli-gateway/gateway/engine/catalog/mcpservers"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// A program may be told to write a file, out of which its answer or figures are read.

// slotFile stands in words for the path of that file.
const slotFile = "{file}"

// outputFile checks how the program is told to write its file.
func (c compiler) outputFile(ps lang.Problems) {
	spec := c.cli.Output.File
	if spec.Name == "" || spec.IsZero() {
		return
	}
	used := spec.Env != ""
	for i, text := range spec.Words {
		argvtemplate.NoNUL(text, ps.At("words", i))
		for _, found := range argvtemplate.Placeholder.FindAllString(text, -1) {
			if found != slotFile {
				ps.At("words", i).Add("slot", "unknown slot %s", found).Hint = "use " + slotFile
			}
			used = true
		}
	}
	if spec.Env != "" {
		argvtemplate.ReservedVariable(spec.Env, ps.At("env"))
	}
	if !used {
		ps.At("name").Add("slot", "the program is not told of the file").Hint = "write " + slotFile + " where its path belongs, in words, or name a variable in env"
	}
	taken := append([]string{c.cli.MCP.File.Name}, mcpservers.TakenFiles...)
	for _, level := range c.cli.levels() {
		taken = append(taken, level.Files.Keys()...)
	}
	switch {
	case !strings.Contains(spec.Name, "."):
		ps.At("name").Add("relation", "the name %q has no ending, as files of the gateway have none", spec.Name).Hint = "such as usage.json"
	case slices.ContainsFunc(taken, func(name string) bool { return strings.EqualFold(name, spec.Name) }):
		ps.At("name").Add("relation", "another file of the call has the name %q", spec.Name)
	}
}

// outputFile writes the words that tell the program of its file.
func (r *renderer) outputFile() {
	spec := r.call.CLI.Output.File
	if spec.Name == "" || spec.IsZero() {
		return
	}
	r.cmd.Writes = spec.Name
	from := "cli." + r.call.CLI.Name + ".output.file."
	for _, text := range spec.Words {
		r.put(strings.ReplaceAll(text, slotFile, r.file(spec.Name)), "", from+"words")
	}
	if spec.Env != "" {
		r.variable(spec.Env, r.file(spec.Name), "", from+"env")
	}
}
