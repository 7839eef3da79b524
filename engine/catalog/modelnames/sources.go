package modelnames

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/argvtemplate"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// place is where a source may lie. A relative path would be read from wherever the
// gateway happens to stand.
var place = regexp.MustCompile(`^(~/|/|\$[A-Za-z_][A-Za-z0-9_]*(/|$)|[A-Za-z]:[\\/]|\\\\)`)

// CheckSources checks where models are looked for.
func CheckSources(sources lang.Map[lang.SourceSpec], ps lang.Problems) {
	for name, s := range sources.All() {
		checkSource(s, ps.At(name))
	}
}

func checkSource(s lang.SourceSpec, ps lang.Problems) {
	needs := func(used bool, key, need string, ok bool) {
		if used && !ok {
			ps.At(key).Add("shape", "%s needs %s", key, need).Key = true
		}
	}
	if (s.Env == "") == (len(s.Path) == 0 && s.Var == "") {
		ps.Add("source", "a source is either a variable or a file").Hint = "set env, or path and key"
		return
	}
	needs(s.Env != "", "env", `gives: "default" or none`, s.What() == lang.GivesDefault)
	for _, f := range []struct {
		key  string
		used bool
	}{{"files", s.Files != ""}, {"format", s.Format != ""}, {"key", len(s.Key) > 0}} {
		needs(f.used, f.key, "a path", s.Env == "")
	}
	if s.Env != "" {
		return
	}
	if len(s.Key) == 0 {
		ps.Add("key", "the key of the model is missing").Hint = "set key"
	}
	needs(len(s.Path) == 0, "var", "a format: the file may have any name", s.Format != "")
	needs(s.Files != "", "files", `gives: "observed"`, s.What() == lang.GivesObserved)
	argvtemplate.ReservedVariable(s.Var, ps.At("var"))
	for i, file := range s.Path {
		at := ps.At("path")
		if len(s.Path) > 1 {
			at = at.At(i)
		}
		if !place.MatchString(file) {
			at.Add("path", "%q is a relative path", file).Hint = "begin it with ~/, / or the variable of a folder, $NAME/"
		}
		if s.Files == "" && s.FormatOf(file) == "" {
			at.Add("format", "the format of %q is unknown", file).Hint = `set format: "json", "jsonl" or "toml"`
		}
	}
	for _, part := range strings.Split(s.Files, "/") {
		_, err := path.Match(part, "")
		if s.Files != "" && (part == "" || part == ".." || part == "." || err != nil) {
			ps.At("files").Add("path", "%q is not a valid pattern of files", s.Files).Hint = `as in "*/session-*.jsonl"`
			break
		}
	}
	for i, key := range s.Key {
		at := ps.At("key")
		if len(s.Key) > 1 {
			at = at.At(i)
		}
		if slices.Contains(strings.Split(key, "."), "") {
			at.Add("key", "%q has an empty part", key)
		}
	}
}
