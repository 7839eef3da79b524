//go:build unix

package models

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/host"
)

const config = ".acme/config.toml"

func TestSources(t *testing.T) {
	for name, c := range map[string]struct {
		environ []string
		files   map[string]string
		want    string
	}{
		"toml":                  {nil, map[string]string{config: "model = 'a'\n"}, "default a config passed=false ~/.acme/config.toml: model\nconfig high a ~/.acme/config.toml: model\n"},
		"first key":             {nil, map[string]string{config: "model.name = 'a'\n"}, "default a config passed=false ~/.acme/config.toml: model.name\nconfig high a ~/.acme/config.toml: model.name\n"},
		"table without a name":  {nil, map[string]string{config: "[model]\nturns = 5\n"}, ""},
		"empty":                 {nil, map[string]string{config: " \n"}, ""},
		"with a mark":           {nil, map[string]string{config: "\xef\xbb\xbfmodel = 'a'\n"}, "default a config passed=false ~/.acme/config.toml: model\nconfig high a ~/.acme/config.toml: model\n"},
		"empty name":            {nil, map[string]string{config: "model = ' '\n"}, ""},
		"number":                {nil, map[string]string{config: "model = 5\n"}, "warning ~/.acme/config.toml has no model name at \"model\"\n"},
		"list":                  {nil, map[string]string{config: "model = ['a']\n"}, "warning ~/.acme/config.toml has no model name at \"model\"\n"},
		"hostile name":          {nil, map[string]string{config: "model = 'a\\nb'\n"}, "warning ~/.acme/config.toml: \"a\\\\nb\" is not a valid model name\n"},
		"dash":                  {nil, map[string]string{config: "model = '--yolo'\n"}, "warning ~/.acme/config.toml: \"--yolo\" is not a valid model name\n"},
		"broken":                {nil, map[string]string{config: "key = 'secret'\nmodel = \n"}, "warning ~/.acme/config.toml is not valid TOML at 2:9: incomplete number\n"},
		"binary":                {nil, map[string]string{config: "\x00\x01\xffELF"}, "warning ~/.acme/config.toml is not valid TOML at 1:1: invalid character at start of key:\n"},
		"deep":                  {nil, map[string]string{config: "model = " + strings.Repeat("[", 300_000)}, "warning ~/.acme/config.toml nests deeper than 200 levels\n"},
		"huge":                  {nil, map[string]string{config: "model = 'a'\n#" + strings.Repeat("x", maxFile)}, "warning ~/.acme/config.toml has 1048589 bytes, at most 1048576 are allowed\n"},
		"further models":        {nil, map[string]string{config: "[models]\nb = 'The b'\nc = {}\n"}, "config high b ~/.acme/config.toml: models The b\nconfig high c ~/.acme/config.toml: models\n"},
		"list of models":        {nil, map[string]string{config: "models = ['b', 5, '-c']\n"}, "config high b ~/.acme/config.toml: models\nwarning ~/.acme/config.toml: \"-c\" is not a valid model name\n"},
		"variable of the CLI":   {[]string{"ACME_MODEL=a"}, map[string]string{config: "model = 'b'\n"}, "default a env passed=false env:ACME_MODEL\nenv high a env:ACME_MODEL\n"},
		"hostile variable":      {[]string{"ACME_MODEL=a b"}, map[string]string{config: "model = 'b'\n"}, "default b config passed=false ~/.acme/config.toml: model\nconfig high b ~/.acme/config.toml: model\nwarning env:ACME_MODEL: \"a b\" is not a valid model name\n"},
		"folder of the CLI":     {[]string{"ACME_HOME=~HOME/else"}, map[string]string{config: "model = 'b'\n", "else/config.toml": "model = 'a'\n"}, "default a config passed=false ~/else/config.toml: model\nconfig high a ~/else/config.toml: model\n"},
		"relative folder":       {[]string{"ACME_HOME=else"}, map[string]string{config: "model = 'b'\n"}, "default b config passed=false ~/.acme/config.toml: model\nconfig high b ~/.acme/config.toml: model\n"},
		"another file":          {[]string{"ACME_CONFIG_PATH=~/x/team.conf"}, map[string]string{config: "model = 'b'\n", "x/team.conf": "model = 'a'\n"}, "default a config passed=true ~/x/team.conf: model\nconfig high a ~/x/team.conf: model\n"},
		"another file, JSON":    {[]string{"ACME_CONFIG_PATH=~HOME/team.json"}, map[string]string{"team.json": `{"model":"a"}`}, "default a config passed=true ~/team.json: model\nconfig high a ~/team.json: model\n"},
		"the same file":         {[]string{"ACME_CONFIG_PATH=~HOME/.acme//config.toml"}, map[string]string{config: "model = 'b'\n"}, "default b config passed=false ~/.acme/config.toml: model\nconfig high b ~/.acme/config.toml: model\n"},
		"the same file, gone":   {[]string{"ACME_CONFIG_PATH=~/.acme/config.toml"}, nil, ""},
		"another file, gone":    {[]string{"ACME_LOCAL=/no/such/file"}, nil, "warning /no/such/file does not exist\n"},
		"another file, nowhere": {[]string{"ACME_LOCAL=x.json"}, nil, "warning ACME_LOCAL: \"x.json\" is a relative path; it must start with / or ~/\n"},
		"a folder":              {[]string{"ACME_LOCAL=~HOME"}, nil, "warning ~HOME is a folder\n"},
		"below a file":          {[]string{"ACME_LOCAL=~/.acme/config.toml/x"}, map[string]string{config: ""}, "warning ~/.acme/config.toml/x cannot be read: not a directory\n"},
		"JSON":                  {[]string{"ACME_LOCAL=~/x"}, map[string]string{"x": `{"model": "a"}`}, "default a config passed=true ~/x: model\nconfig high a ~/x: model\n"},
		"JSON of an editor":     {[]string{"ACME_LOCAL=~/x"}, map[string]string{"x": "// mine\n{\"u\": \"http://x/*\", /* \"model\": \"b\", */ \"model\": \"a\", // \"\n \"l\": [1, 2, ], }"}, "default a config passed=true ~/x: model\nconfig high a ~/x: model\n"},
		"broken JSON":           {[]string{"ACME_LOCAL=~/x"}, map[string]string{"x": "{\n// secret\n\"model\": }"}, "warning ~/x is not valid JSON at line 3: invalid character '}' looking for beginning of value\n"},
		"open comment":          {[]string{"ACME_LOCAL=~/x"}, map[string]string{"x": "{/*"}, "warning ~/x is not valid JSON at line 1: invalid character '/' looking for beginning of object key string\n"},
		"JSON, not an object":   {[]string{"ACME_LOCAL=~/x"}, map[string]string{"x": "[1]"}, ""},
		"the variable decides":  {[]string{"ACME_DEFAULT_MODEL=c"}, map[string]string{config: "model = 'b'\n"}, "default c env passed=true env:ACME_DEFAULT_MODEL\nenv high c env:ACME_DEFAULT_MODEL\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.environ...)
			for file, text := range c.files {
				w.put(t, file, text)
			}
			same(t, "listed", only(w.listed(t, "acme"), "default", "env", "config", "warning"), c.want)
		})
	}
}

// TestNotPassedOn: a variable that is not passed to the CLI has no effect.
func TestNotPassedOn(t *testing.T) {
	w := newWorld(t, "ACME_MODEL=a", "ACME_HOME=/x")
	dropping := *w.catalog
	dropping.Settings.Env.Drop = []string{"ACME_*"}
	w.catalog = &dropping
	same(t, "listed", only(w.listed(t, "acme"), "default", "warning"), "")
}

// TestKindsOfFiles: no file is waited for, and none is a failure.
func TestKindsOfFiles(t *testing.T) {
	link := func(to string) func(t *testing.T, w *world, path string) {
		return func(t *testing.T, w *world, path string) {
			w.put(t, "real.toml", "model = 'a'\n")
			if err := os.Symlink(strings.ReplaceAll(to, "~HOME", w.home), path); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		make func(t *testing.T, w *world, path string)
		want string
	}{
		"link":     {link("~HOME/real.toml"), "default a config passed=false ~/.acme/config.toml: model\n"},
		"dangling": {link("~HOME/none"), ""},
		"loop":     {link("config.toml"), "warning ~/.acme/config.toml cannot be read: too many levels of symbolic links\n"},
		"device":   {link("/dev/zero"), "warning ~/.acme/config.toml is not a regular file\n"},
		"folder":   {func(t *testing.T, w *world, path string) { _ = os.Mkdir(path, 0o700) }, "warning ~/.acme/config.toml is a folder\n"},
		"closed": {func(t *testing.T, w *world, path string) {
			w.put(t, config, "model = 'a'\n")
			if err := os.Chmod(path, 0); err != nil {
				t.Fatal(err)
			}
			if os.Geteuid() == 0 {
				t.Skip("root reads everything")
			}
		}, "warning ~/.acme/config.toml cannot be read: permission denied\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			path := filepath.Join(w.home, config)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			c.make(t, w, path)
			same(t, "listed", only(w.listed(t, "acme"), "default", "warning"), c.want)
		})
	}
}

// TestChangesAreSeen: an answer is kept until its file changes, also within one tick of
// the clock and without a change of its size.
func TestChangesAreSeen(t *testing.T) {
	w := newWorld(t)
	path := w.put(t, config, "model = 'a'\n")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	own := func() string { return w.Current(w.catalog, w.cli(t, "acme")).Own.Name }
	write := func(model string) {
		w.put(t, config, "model = '"+model+"'\n")
		if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
	}
	w.time = info.ModTime() // it was just written
	for _, model := range []string{"a", "b", "c"} {
		if write(model); own() != model {
			t.Errorf("%s, want %s", own(), model)
		}
	}
	if len(w.files) != 0 {
		t.Errorf("kept: %v", w.files)
	}
	w.time = info.ModTime().Add(2 * minFileAge)
	if own() != "c" || len(w.files) != 1 {
		t.Errorf("%s, kept: %v", own(), w.files)
	}
	if write("d"); own() != "c" { // which no program does: the file is not read again
		t.Errorf("%s was read again", own())
	}
	if w.put(t, config, "model = 'longer'\n"); own() != "longer" {
		t.Errorf("%s, want longer", own())
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if own() != "" {
		t.Errorf("%s of a file that is gone", own())
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range []string{"{// x\n}", `{"a":[1,],}`, "a = [[1]]\n", "\"\\", "/*", "//", `"//"`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if plain := host.PlainJSON(data); len(plain) != len(data) {
			t.Errorf("%d bytes became %d", len(data), len(plain))
		}
		for _, format := range []string{"json", "toml"} {
			_, _ = decode(data, format)
		}
		_, _ = parsePairs(string(data), nil)
		_, _ = parseModels(string(data), nil)
	})
}

func BenchmarkCurrent(b *testing.B) {
	for name, environ := range map[string][]string{"nothing": nil, "variables": {"ACME_MODEL_ALIASES=a=b,b=c", "ACME_DEFAULT_MODEL=a", "ACME_MODELS=x,y"}} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, environ...)
			w.put(b, config, "model = 'x'\n")
			cli := w.cli(b, "acme")
			b.ReportAllocs()
			for b.Loop() {
				w.Current(w.catalog, cli)
			}
		})
	}
}
