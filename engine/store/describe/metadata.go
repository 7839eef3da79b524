package describe

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// MetadataFile is the name of the file that Datasette reads beside a database.
const MetadataFile = "metadata.json"

// Metadata is what Datasette is told of a database of that name: the name of its file without
// the extension. Its first line marks it as ours, with a checksum of all others.
func Metadata(database string) []byte {
	type object = map[string]any
	tables, queries := object{}, object{}
	for _, t := range Tables() {
		columns := object{}
		for _, c := range t.Columns {
			columns[c.Name] = c.About
		}
		about := object{"description": t.About, "columns": columns}
		switch {
		case t.Name == "calls":
			about["fts_table"], about["fts_pk"] = "search", "search_id"
		case !forPeople(t.Name):
			about["hidden"] = true
		}
		tables[t.Name] = about
	}
	for _, q := range Queries() {
		queries[q.Name] = object{"title": strings.ReplaceAll(q.Name, "_", " "), "description": q.About, "sql": q.SQL}
	}
	body, _ := json.MarshalIndent(object{
		"title":     "Calls of agents",
		"databases": object{database: object{"description": "The record of llm-cli-gateway: one row for each call.", "tables": tables, "queries": queries}},
	}, "", "  ") // of texts nothing fails
	rest := append(body[len("{\n"):], '\n')
	return append([]byte(mark(rest)), rest...)
}

const generated = `  "generated": "by llm-cli-gateway; an edited file is left alone; `

// mark is the beginning of a file that is ours, with a checksum of the rest.
func mark(rest []byte) string {
	sum := sha256.Sum256(rest)
	return "{\n" + generated + hex.EncodeToString(sum[:]) + "\",\n"
}

// ours reports whether a file is one that Metadata made, and that nobody has edited.
func ours(text []byte) bool {
	lines := bytes.SplitAfterN(text, []byte("\n"), 3)
	return len(lines) == 3 && bytes.HasPrefix(text, []byte(mark(lines[2])))
}

// WriteMetadata writes the metadata of a database beside it: where there is none, or one that
// is ours and says something else. A file of the user is left alone.
func WriteMetadata(database string) error {
	path := filepath.Join(filepath.Dir(database), MetadataFile)
	want := Metadata(strings.TrimSuffix(filepath.Base(database), filepath.Ext(database)))
	there, err := os.ReadFile(path)
	switch {
	case err == nil && (bytes.Equal(there, want) || !ours(there)):
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	fresh, err := os.CreateTemp(filepath.Dir(path), MetadataFile+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = fresh.Write(want)
	err = errors.Join(err, fresh.Close())
	if err == nil {
		err = os.Rename(fresh.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(fresh.Name()))
	}
	return nil
}
