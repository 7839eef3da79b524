// Package mcpservers is how MCP servers are passed to a CLI: it checks what specs say of
// that, finds the servers that a call asks for, and writes them as words, a file or a
// variable.
//
// It hides the templates and the slots in them. It must not look at the machine itself, but
// asks Sources, nor know anything else of a call.
package mcpservers

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/llm-cli-gateway/gateway/engine/catalog/argvtemplate"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Slots in the words and files that configure servers.
const (
	slotFile    = "{file}"    // path of the file
	slotName    = "{name}"    // of the server
	slotCommand = "{command}" // path of its program
	slotArgs    = "{args}"
	slotEnv     = "{env}"     // names of its variables
	slotServers = "{servers}" // in the body: all of them, by name
	slotList    = "{list}"    // in the body: all of them
	slotJSON    = "{json}"    // in the text: the body
)

// NamePattern is what a caller may call a server. It can stand anywhere in a word.
const NamePattern = `^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`

// CheckDefinitions checks the servers that specs define, and the names of those that all
// calls get.
func CheckDefinitions(servers lang.Map[lang.ServerSpec], general []string, ps lang.Problems) {
	for name, server := range servers.All() {
		at := ps.At("mcp", name)
		argvtemplate.Executable(server.Command, at.At("command"))
		for i, arg := range server.Args {
			plainArgument(arg, at.At("args", i))
		}
		for i, variable := range server.Env {
			argvtemplate.ReservedVariable(variable, at.At("env", i))
			if slices.Contains(server.Env[:i], variable) {
				at.At("env", i).Add("env", "%q is listed twice", variable)
			}
		}
	}
	for i, name := range general {
		if _, ok := servers.Get(name); !ok {
			p := ps.At("gateway", "mcpServers", i).Add("mcp", "no MCP server is called %q", name)
			p.Hint, p.Warning = text.DidYouMean(name, servers.Keys()), true
		}
	}
}

// CheckDefault checks the names of the servers that calls of a CLI get.
func CheckDefault(spec lang.MCPSpec, servers lang.Map[lang.ServerSpec], ps lang.Problems) {
	if spec.Own != nil {
		return
	}
	for i, name := range spec.Default {
		if _, ok := servers.Get(name); !ok {
			ps.At("default", i).Add("mcp", "no MCP server is called %q", name).Hint = text.DidYouMean(name, servers.Keys())
		}
	}
}

// Names are those of the servers that can be passed to CLIs, with their titles.
func Names(servers lang.Map[lang.ServerSpec]) (titled []string) {
	for name, server := range servers.All() {
		if server.Title != "" {
			name += " (" + server.Title + ")"
		}
		titled = append(titled, name)
	}
	return titled
}

// plainArgument refuses what readers of the generated files and words do not take for
// itself: some expand variables, and the formats have different escapes for what
// cannot be seen.
func plainArgument(arg string, ps lang.Problems) {
	switch {
	case strings.Contains(arg, "${"):
		ps.Add("mcp", "%q would be expanded by some CLIs and not by others", "${").Hint = "name the variable in env: the server finds it there"
	case strings.ContainsFunc(arg, func(r rune) bool { return !unicode.IsGraphic(r) }):
		ps.Add("mcp", "contains an invisible character")
	}
}

var (
	fileName = regexp.MustCompile(`^[a-z][a-z0-9]{0,15}\.[a-z]{1,8}$`)
	// TakenFiles are names of what else lies in the folder of a call. What has none of its own
	// has no ending.
	TakenFiles = []string{PromptFile, "row.json"}
)

// PromptFile is the file of a prompt that does not go over standard input.
const PromptFile = "prompt.txt"

// Check checks how a CLI takes servers.
func Check(spec lang.MCPSpec, ps lang.Problems) {
	if spec.IsZero() {
		return
	}
	file := spec.File
	general, own := []string{}, []string{slotName, slotCommand, slotArgs, slotEnv}
	if spec.Own != nil {
		own = []string{slotName}
	}
	if file.Name != "" {
		general, own = append(general, slotFile), append(own, slotFile)
	}
	used := map[string]bool{}
	for _, list := range []struct {
		key   string
		words []string
		slots []string
	}{{"words", spec.Words, general}, {"each", spec.Each, own}, {"trusted", spec.Trusted, []string{slotName}}, {"strict", spec.Strict, nil}, {"none", spec.None, nil}} {
		for i, word := range list.words {
			at := ps.At(list.key, i)
			argvtemplate.NoNUL(word, at)
			for _, found := range argvtemplate.Placeholder.FindAllString(word, -1) {
				used[found] = true
				knownSlot(found, list.slots, at)
			}
		}
	}
	switch {
	case spec.Own != nil && !file.IsZero():
		ps.At("file").Add("mcp", "the CLI takes only its own servers, so there is no file to write").Key = true
	case !file.IsZero() && (file.Name == "") == (file.Env == ""):
		ps.At("file").Add("mcp", "needs either a name or env").Key = true
	case file.Name != "" && !used[slotFile]:
		ps.At("file").Add("slot", "the file is not used").Hint = "write {file} where its path belongs, in words or each"
	case file.IsZero() && !used[slotName]:
		problem := ps.Add("mcp", "servers are not passed to the CLI")
		problem.Hint, problem.Key = "add file, or each with {name}", true
	}
	if spec.Own != nil && spec.Trusted != nil {
		ps.At("trusted").Add("mcp", "only servers that specs define can be trusted").Key = true
	}
	for i, place := range spec.Own {
		if !strings.HasPrefix(place.Path, "~/") && strings.ContainsAny(place.Path, "\x00*?[") {
			ps.At("own", i, "path").Add("mcp", "a pattern must begin with ~/")
		}
	}
	if !file.IsZero() {
		checkFile(file, ps.At("file"))
	}
}

func checkFile(file lang.MCPFile, ps lang.Problems) {
	argvtemplate.ReservedVariable(file.Env, ps.At("env"))
	if file.Name != "" && (!fileName.MatchString(file.Name) || slices.Contains(TakenFiles, file.Name)) {
		ps.At("name").Add("mcp", "%q cannot be the name of the file", file.Name).Hint = "such as mcp.json"
	}
	if file.Text != "" && strings.Count(file.Text, slotJSON) != 1 {
		ps.At("text").Add("slot", "{json} occurs %d times", strings.Count(file.Text, slotJSON)).Hint = "write it once, where the body belongs"
	}
	if n := templateSlots(file.Body, []string{slotServers, slotList}, ps.At("body")); n == 0 {
		ps.At("body").Add("slot", "the servers are missing").Hint = "write {servers} or {list}"
	}
	own := []string{slotName, slotCommand, slotArgs, slotEnv}
	if n := templateSlots(file.Server, own, ps.At("server")); n == 0 {
		ps.At("server").Add("slot", "contains no slot for the server").Hint = "write {command}, {args} and the like"
	}
	for _, over := range []struct {
		key  string
		body map[string]any
	}{{"each", file.Each}, {"trusted", file.Trusted}} {
		if n := templateSlots(over.body, own, ps.At(over.key)); over.body != nil && n == 0 {
			ps.At(over.key).Add("slot", "is the same for every server").Hint = "write {name} into a key, or move it to body"
		}
	}
}

// templateSlots checks the slots of a template and counts them. A slot is a text of its
// own, since what it stands for need not be one; but {name} can be part of a key.
func templateSlots(template any, known []string, ps lang.Problems) (count int) {
	switch v := template.(type) {
	case string:
		for _, found := range argvtemplate.Placeholder.FindAllString(v, -1) {
			if knownSlot(found, known, ps) {
				count++
				if found != v {
					ps.Add("slot", "a slot must be a text of its own, not part of %q", v)
				}
			}
		}
	case []any:
		for i, item := range v {
			count += templateSlots(item, known, ps.At(i))
		}
	case map[string]any:
		named := slices.DeleteFunc(slices.Clone(known), func(slot string) bool { return slot != slotName })
		for _, key := range slices.Sorted(maps.Keys(v)) {
			for _, found := range argvtemplate.Placeholder.FindAllString(key, -1) {
				if at := ps.At(key); knownSlot(found, named, at) {
					count++
				}
			}
			count += templateSlots(v[key], known, ps.At(key))
		}
	}
	return count
}

func knownSlot(found string, known []string, ps lang.Problems) bool {
	if slices.Contains(known, found) {
		return true
	}
	hint := "no slot has a value here"
	if len(known) > 0 {
		hint = "there are " + strings.Join(known, ", ")
	}
	if near := text.Nearest(found, known); near != "" {
		hint = `did you mean "` + near + `"?`
	}
	ps.Add("slot", "unknown slot %s", found).Hint = hint
	return false
}
