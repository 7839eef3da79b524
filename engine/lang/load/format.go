package load

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"

	"github.com/llm-cli-gateway/gateway/engine/lang/cuesyntax"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// Language is the newest version of the language, to which Format brings a file.
const Language = 1

// Format is the text of a file in canonical form, which for CUE is that of its own
// formatter. YAML has none that would keep comments where they are: it stays as it is.
// With fix the file is brought to the newest version of the language, and says so: keys
// that had another name earlier get the one that they have now.
//
// What it says is the same before and after. A file that cannot be read or evaluated has
// diagnostics, with places, and no form.
func Format(f specfiles.File, fix bool, e Evaluation) ([]byte, []diagnostic.Diagnostic) {
	r := &report{}
	before := parse(f, e, r)
	if before.broken {
		return nil, diagnostic.Sort(r.list)
	}
	isCUE := strings.EqualFold(path.Ext(f.Name), ".cue")
	old, err := f, error(nil)
	if fix {
		f.Data, err = migrate(f, before.src, isCUE)
	}
	text := f.Data
	adds := fix && before.root != nil && before.root.fields["language"] == nil
	switch {
	case err != nil:
	case isCUE:
		text, err = formatCUE(f, adds)
	case adds && len(r.list) == 0:
		text = withLanguage(f.Data)
	}
	if err == nil {
		err = sameMeaning(f, text, e, before, adds && len(r.list) == 0, fix)
	}
	if err != nil {
		return nil, unformed(old, before.src, err, e, fix)
	}
	return text, nil
}

// unformed says that a file has no canonical form. If it has one without its keys being
// renamed, that is what its author must do.
func unformed(f specfiles.File, src *source, err error, e Evaluation, fix bool) []diagnostic.Diagnostic {
	r := &report{}
	d := r.add(pos{src, 0}, nil, "internal", "cannot be brought into canonical form: %v", err)
	d.Hint = "please report this file"
	if fix {
		if _, diags := Format(f, false, e); diags == nil {
			d.Code, d.Message = "renamed-field", fmt.Sprintf("its keys cannot be renamed without changing what it says: %v", err)
			d.Hint = "rename them by hand; `gateway vet` names them"
		}
	}
	return r.list
}

// migrate is the text of a file with the keys that the language has now.
func migrate(f specfiles.File, src *source, isCUE bool) ([]byte, error) {
	mark, _ := bytes.CutSuffix(f.Data, src.data) // of the byte order
	var decls []ast.Decl
	if isCUE {
		file, err := parser.ParseFile(f.Name, src.data)
		if err != nil {
			return nil, err
		}
		decls = file.Decls
	} else {
		docs, err := documents(src.data)
		if err != nil {
			return nil, err
		}
		for _, doc := range docs {
			decls = append(decls, &ast.EmbedDecl{Expr: doc})
		}
	}
	return append(slices.Clone(mark), migrated(src, decls, !isCUE)...), nil
}

func formatCUE(f specfiles.File, adds bool) ([]byte, error) {
	text := f.Data
	if adds {
		file, err := parser.ParseFile(f.Name, f.Data, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		text = insert(text, cuesyntax.BehindPreamble(file, len(text)), fmt.Sprintf("language: %d\n\n", Language))
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	return format.Source(text)
}

func insert(text []byte, at int, what string) []byte {
	if at > 0 && at == len(text) && text[at-1] != '\n' {
		what = "\n" + what
	}
	return bytes.Join([][]byte{text[:at], text[at:]}, []byte(what))
}

// withLanguage writes the version in front of what a YAML file says.
func withLanguage(data []byte) []byte {
	at := 0
	for line := range bytes.Lines(data) {
		text := bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff")))
		if len(text) > 0 && text[0] != '#' && !bytes.HasPrefix(text, []byte("---")) && text[0] != '%' {
			break
		}
		at += len(line)
	}
	language := fmt.Sprintf("language: %d", Language)
	if bytes.HasPrefix(bytes.TrimSpace(data[at:]), []byte("{")) { // all of it in one line, like JSON
		brace := at + bytes.IndexByte(data[at:], '{') + 1
		language += ", "
		if bytes.HasPrefix(bytes.TrimSpace(data[brace:]), []byte("}")) {
			language = strings.TrimSuffix(language, ", ")
		}
		return insert(data, brace, language)
	}
	end := "\n"
	if bytes.Contains(data, []byte("\r\n")) {
		end = "\r\n"
	}
	return insert(data, at, language+end)
}

// sameMeaning reads the new text again.
func sameMeaning(f specfiles.File, text []byte, e Evaluation, before tree, added, fix bool) error {
	if bytes.Equal(before.src.data, text) {
		return nil
	}
	r := &report{}
	after := parse(specfiles.File{Name: f.Name, Data: text}, e, r)
	switch {
	case after.unfinished:
		return errors.New(r.list[0].Message)
	case after.broken:
		return fmt.Errorf("it could not be read again")
	case before.root == nil || after.root == nil || !before.root.whole():
		return nil // wrong in other ways, which vet tells
	}
	want := before.root.clone()
	if fix {
		renamed(want, fileShape().arms[0], nil)
	}
	if added {
		want.set("language", &node{kind: number, text: fmt.Sprint(Language)})
	}
	if !want.equal(after.root) {
		return fmt.Errorf("it would mean something else")
	}
	return nil
}
