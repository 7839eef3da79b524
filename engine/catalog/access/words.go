package access

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/argvtemplate"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Words is how a CLI is held to the levels of its spec, compiled.
type Words struct {
	spec   lang.AccessSpec
	levels [Full + 1]*level
	loose  *level // untrusted
}

// level is the words of one level, compiled.
type level struct {
	*lang.LevelSpec
	path  string // in the section, as in "read"
	when  []*extract.Expression
	files []string
}

// Compile compiles the section access of a CLI. Conditions see the scope; lists are the
// parameters whose elements words may name.
func Compile(spec lang.AccessSpec, scope extract.Scope, lists []string, vetted bool, ps lang.Problems) *Words {
	w := &Words{spec: spec}
	add := func(name string, spec *lang.LevelSpec) *level {
		if spec == nil {
			return nil
		}
		at := ps.At(name)
		l := &level{LevelSpec: spec, path: name, files: spec.Files.Keys()}
		for i, word := range spec.Words {
			l.when = append(l.when, extract.Condition(word.When, scope, vetted, at.At("words", i, "when")))
			for _, text := range word.Words {
				l.check(text, lists, true, at.At("words", i))
			}
		}
		for i, text := range spec.Servers {
			l.check(strings.ReplaceAll(text, slotName, "x"), lists, true, at.At("servers", i))
		}
		for name, value := range spec.Env.Set.All() {
			argvtemplate.ReservedVariable(name, at.At("env", "set", name))
			l.check(value, lists, false, at.At("env", "set", name))
		}
		for name, body := range spec.Files.All() {
			if text, ok := body.(string); ok {
				l.check(text, lists, false, at.At("files", name))
			}
		}
		return l
	}
	w.levels = [...]*level{nil, add("read", spec.Read), add("edit", spec.Edit), add("full", spec.Full)}
	w.loose = add("untrusted", spec.Untrusted)
	return w
}

// Slots of words and texts.
const (
	slotCwd  = "{cwd}"
	slotJSON = "{json}"
	slotRE   = "{cwd.re}" // an RE2 of the directory, as it stands in a JSON string
	slotName = "{name}"   // of a server

	prefixFile = "{file."
)

// lists are what slots take of the elements of a list, by their first part.
var lists = map[string]func(elements []string) []string{
	"list": func(elements []string) []string { return elements },
	"names": func(elements []string) []string {
		return each(elements, func(e string) (string, bool) { return Name(e), true })
	},
	"plain": func(elements []string) []string {
		return each(elements, func(e string) (string, bool) { return e, !strings.Contains(e, "(") })
	},
	"inner": func(elements []string) []string {
		return each(elements, func(e string) (string, bool) {
			_, inner, ok := strings.Cut(e, "(")
			return strings.TrimSuffix(inner, ")"), ok
		})
	},
}

// each is what take makes of the elements, each text once.
func each(elements []string, take func(element string) (text string, ok bool)) []string {
	out := []string{}
	for _, element := range elements {
		if text, ok := take(element); ok && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// ofList divides the slot of a list into what it takes and the parameter.
func ofList(slot string) (take func([]string) []string, param string) {
	form, param, _ := strings.Cut(strings.Trim(slot, "{}"), ".")
	return lists[form], param
}

// slotShape is what a slot looks like; other braces belong to the text.
var slotShape = regexp.MustCompile(`^\{[a-z]+(\.[A-Za-z0-9._-]+)?\}$`)

// check refuses slots that stand for nothing. In a file everything else in braces is text.
func (l *level) check(text string, known []string, word bool, ps lang.Problems) {
	argvtemplate.NoNUL(text, ps)
	for _, slot := range argvtemplate.Placeholder.FindAllString(text, -1) {
		if !slotShape.MatchString(slot) {
			continue
		}
		file, isFile := strings.CutPrefix(strings.TrimSuffix(slot, "}"), prefixFile)
		take, list := ofList(slot)
		switch {
		case isFile:
			if !slices.Contains(l.files, file) {
				ps.Add("slot", "%s: the level has no file of that name", slot)
			}
		case take != nil:
			if !slices.Contains(known, list) {
				ps.Add("slot", "%s: no parameter of that name is a list", slot)
			}
			if word && strings.HasPrefix(text, slot) {
				ps.Add("dash", "%q could begin with a dash and be read as an option", text).Hint = "write the option in front of it: --name=" + slot
			}
		case slot == slotCwd || slot == slotJSON || slot == slotRE || !word:
		case slot == slotOutside || slot == slotOutsideCaret:
		default:
			ps.Add("slot", "unknown slot %s", slot).Hint = "there are {cwd}, {json}, {cwd.re}, {cwd.outside}, {cwd.outside.caret}, {file.NAME}, and {list.PARAM}, {names.PARAM}, {plain.PARAM} and {inner.PARAM}"
		}
	}
}

// Has reports whether the spec has words for a level.
func (w *Words) Has(l Level) bool { return w.levels[l] != nil }

// Declared reports whether the spec says anything of levels.
func (w *Words) Declared() bool {
	return w.loose != nil || w.levels[Read] != nil || w.levels[Edit] != nil || w.levels[Full] != nil
}

// Reach is what a level can reach beside the working directory.
func (w *Words) Reach(l Level) string {
	if !w.Has(l) {
		return ""
	}
	return w.levels[l].LevelSpec.Reach
}

// Params are the values that a level gives to parameters.
func (w *Words) Params(words string) lang.Map[any] {
	if words == Own || w.levels[Named(words)] == nil {
		return lang.Map[any]{}
	}
	return w.levels[Named(words)].LevelSpec.Params
}

// NamesServers reports whether the program's own MCP servers must be known for a call.
func (w *Words) NamesServers(words string, trusted bool) bool {
	for _, l := range w.parts(words, trusted) {
		if len(l.Servers) > 0 {
			return true
		}
	}
	return false
}

func (w *Words) parts(words string, trusted bool) (parts []*level) {
	if words != Own && w.levels[Named(words)] != nil {
		parts = append(parts, w.levels[Named(words)])
	}
	if !trusted && w.loose != nil {
		parts = append(parts, w.loose)
	}
	return parts
}

// Run is what words are rendered for.
type Run struct {
	Words   string // of an Access
	Trusted bool   // the working directory
	Dir     string
	Scope   map[string]any             // of conditions
	List    func(name string) []string // elements of a list parameter
	Path    func(file string) string   // where a private file will lie
	Servers []string                   // of the program's own configuration
}

// Rendered is what holds a program to a level.
type Rendered struct {
	Words []Word
	Set   []Variable
	Drop  []string // patterns of variables that are not passed
	Files []File
}

// Word is a word of a command line and where in the section it comes from.
type Word struct{ Text, From string }

// Variable is one of the environment.
type Variable struct{ Name, Value, From string }

// File is a private file.
type File struct{ Name, Text string }

// Render writes the words of a level. What is wrong is for the caller to mend.
func (w *Words) Render(r Run) (out Rendered, wrong []string) {
	path, named := r.Path, map[string]bool{}
	r.Path = func(file string) string { named[file] = true; return path(file) }
	for _, l := range w.parts(r.Words, r.Trusted) {
		for i, word := range l.Words {
			if l.when[i] != nil && !l.when[i].Holds(r.Scope) {
				continue
			}
			for _, template := range word.Words {
				repeated, err := outside(template, r.Dir)
				if err != nil {
					wrong = append(wrong, fmt.Sprintf("%v, so the level %q cannot be kept: move it, or pass access %q", err, r.Words, Own))
				}
				for _, each := range repeated {
					out.Words = append(out.Words, Word{l.fill(each, r, joined), fmt.Sprintf("%s.words.%d", l.path, i)})
				}
			}
		}
		for _, server := range r.Servers {
			if len(l.Servers) > 0 && !plain(server) {
				wrong = append(wrong, fmt.Sprintf("its own MCP server %q cannot be switched off by its name, so the level %q cannot be kept: rename it, or pass access %q", text.Abbreviate(server), r.Words, Own))
				continue
			}
			for i, text := range l.Servers {
				filled := l.fill(strings.ReplaceAll(text, slotName, server), r, joined)
				out.Words = append(out.Words, Word{filled, fmt.Sprintf("%s.servers.%d", l.path, i)})
			}
		}
		for name, value := range l.Env.Set.All() {
			out.Set = append(out.Set, Variable{name, l.fill(value, r, inJSON), l.path + ".env.set." + name})
		}
		out.Drop = append(out.Drop, l.Env.Drop...)
		for name, body := range l.Files.All() {
			content, isText := body.(string)
			switch {
			case !named[name]:
				continue // a condition left it out
			case isText:
				content = l.fill(content, r, inJSON)
			default:
				content = string(text.MustJSON(l.fillValue(body, r)))
			}
			out.Files = append(out.Files, File{name, content})
		}
	}
	return out, wrong
}

// plain reports whether the name of a server can stand in a word.
func plain(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

// How a list is written.
func joined(list []string) string { return strings.Join(list, ",") }
func inJSON(list []string) string { return string(text.MustJSON(list)) }

// fillValue is fill for all texts in a JSON value. A text that is nothing but the slot of a
// list becomes the list.
func (l *level) fillValue(v any, r Run) any {
	switch v := v.(type) {
	case string:
		if take, _ := ofList(v); take != nil && argvtemplate.Placeholder.FindString(v) == v {
			return json.RawMessage(l.fill(v, r, inJSON))
		}
		return l.fill(v, r, joined)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = l.fillValue(item, r)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = l.fillValue(item, r)
		}
		return out
	}
	return v
}

// fill puts values into the slots of a text.
func (l *level) fill(template string, r Run, write func([]string) string) string {
	return argvtemplate.Placeholder.ReplaceAllStringFunc(template, func(slot string) string {
		take, list := ofList(slot)
		switch {
		case slot == slotCwd:
			return r.Dir
		case slot == slotJSON:
			return string(text.MustJSON(r.Dir))
		case slot == slotRE:
			quoted := string(text.MustJSON(regexp.QuoteMeta(r.Dir)))
			return quoted[1 : len(quoted)-1]
		case strings.HasPrefix(slot, prefixFile):
			return r.Path(strings.TrimSuffix(slot[len(prefixFile):], "}"))
		case take != nil:
			return write(take(r.List(list)))
		}
		return slot
	})
}
