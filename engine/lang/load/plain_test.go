package load

import (
	"bytes"
	"fmt"
	"math/big"
	"path/filepath"
	"testing"

	"cuelang.org/go/cue/parser"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/lang/cuesyntax"
)

// bothWays reads a plain CUE file off its syntax and has CUE evaluate it as well.
// ok is false if the file is not plain, or wrong.
func bothWays(data []byte) (read, evaluated string, ok bool) {
	r := &report{}
	t := tree{src: &source{name: "x.cue", data: data}}
	if _, deep := cuesyntax.TooDeep(t.src.data, maxDepth); deep {
		return "", "", false
	}
	file, err := parser.ParseFile("x.cue", data)
	if err != nil {
		return "", "", false
	}
	b := builder{src: t.src, r: r}
	t.root = b.file(file.Decls)
	if b.computed || len(r.list) > 0 || !t.root.whole() {
		return "", "", false
	}
	read = outline(t.root)
	t = evaluate(t, file, r)
	if len(r.list) > 0 {
		return read, r.list[0].String(), true
	}
	return read, outline(t.root), true
}

// outline writes a tree in a form in which equal numbers look alike.
func outline(n *node) string {
	var b bytes.Buffer
	switch n.kind {
	case object:
		for _, k := range n.keys {
			fmt.Fprintf(&b, "%q:%s,", k, outline(n.fields[k]))
		}
		return "{" + b.String() + "}"
	case list:
		for _, e := range n.items {
			fmt.Fprintf(&b, "%s,", outline(e))
		}
		return "[" + b.String() + "]"
	case number:
		f, _, err := big.ParseFloat(n.text, 10, 64, big.ToNearestEven)
		return fmt.Sprint(f.Text('g', 15), err)
	case octets:
		return "bytes"
	}
	return fmt.Sprintf("%s %q", n.kind, n.text)
}

var plain = []string{
	`a: 1_000, b: 4K, c: 0x1F, d: 0o17, e: 0b11, f: 1.5M, g: .5, h: 5., i: 1e3, j: 1.5e-3, k: -0, l: -1.5, m: +7, n: 0.0, o: 1Ki`,
	`a: "x\ty\u00e9\U0001F600\/", b: #"\n"#, c: ##"a"#b"##, d: "\x41"`,
	"a: \"\"\"\n\tone\n\t two\\\n\tthree\n\t\"\"\"\nb: #\"\"\"\n\tx \\n\n\t\"\"\"#",
	`"a b": {c: [1, "x", true, null, {d: []}]}, true: 1, null: 2, if: 3, for: 4`,
	"a: b: c: 1\na: b: d: 2\na: {b: e: 3}\na: b: c: 1",
	"a: [1, 2]\na: [1, 2]\nb: (1)\nc: ({d: (\"x\")})",
	"package x\n\n// doc\na: 1 // line\n@attr(x)\nb: 2 @tag(y)",
	`a: 1K, b: 1M, c: 1G, d: 1T, e: 1P, f: 1Ki, g: 1Mi, h: 1Gi, i: 1Ti, j: 1Pi, k: 1.5P, l: .25Ki, m: 0.0, n: 00.5, o: 1_0.5, p: 5.e3, q: .5e-3`,
	`#"raw"#: 1, "a\tb": 2, "": 3`,
	"package gateway\nimport \"gateway.dev/schema\"\nschema.#File\ncli: schema.#CLIs\ncli: a: schema.#CLI & {bin: \"x\"}\ngateway: schema.#Settings\nx: {y: 1} & schema.#Param",
	"import s \"gateway.dev/schema:schema\"\na: s.#Bin & \"x\"\nb: (s.#Line & (\"y\"))\nc: s.#Extract & {take: \"z\"}",
	`a: 123456789012345678901234567890, b: 0.1234567890123456789, c: 1E+2`,
}

// TestPlainMeansTheSame holds that what is read off the syntax is what CUE says.
func TestPlainMeansTheSame(t *testing.T) {
	texts := append([]string(nil), plain...)
	zoo, err := filepath.Glob(filepath.Join("testdata", "*", "*.txtar"))
	if err != nil || len(zoo) == 0 {
		t.Fatal(err)
	}
	for _, name := range zoo {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if filepath.Ext(f.Name) == ".cue" {
				texts = append(texts, string(f.Data))
			}
		}
	}
	for _, f := range builtin(t).Files {
		texts = append(texts, string(f.Data))
	}
	compared := 0
	for _, text := range texts {
		read, evaluated, ok := bothWays([]byte(text))
		if ok {
			compared++
		}
		if read != evaluated {
			t.Errorf("%s\nread      %s\nevaluated %s", text, read, evaluated)
		}
	}
	if compared < 50 {
		t.Errorf("only %d texts are plain", compared)
	}
}

func FuzzPlain(f *testing.F) {
	for _, text := range plain {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !readable(&source{data: data}, false, &report{}) {
			t.Skip()
		}
		if read, evaluated, _ := bothWays(data); read != evaluated {
			t.Errorf("read      %s\nevaluated %s", read, evaluated)
		}
	})
}
