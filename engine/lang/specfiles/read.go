package specfiles

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
)

// File is a spec file: its name and its text.
type File struct {
	Name string // as diagnostics show it; its ending says whether it is CUE or YAML
	Data []byte
}

// MaxFile bounds a spec file, in bytes.
const MaxFile = 1 << 20

// CodeNoFolder is the code of ReadDir's diagnostic for a folder that does not
// exist, which is fine where a folder is only looked for.
const CodeNoFolder = "no-folder"

// CodeUnsafe is the code of what other users could have written.
const CodeUnsafe = "unsafe-file"

// ReadDir reads the spec files (*.cue, *.yaml, *.yml) of one folder, sorted by name,
// not those of folders inside it. Names that begin with a dot or an underscore are
// skipped. Files that other users could have written, or put in their place, are
// refused: a spec names programs to run.
func ReadDir(dir string) ([]File, []diagnostic.Diagnostic) {
	var diags []diagnostic.Diagnostic
	fail := into(&diags)
	entries, err := os.ReadDir(dir)
	if err != nil {
		code := "unreadable"
		why := reason(err)
		if errors.Is(err, fs.ErrNotExist) {
			code = CodeNoFolder
			if link := brokenLink(dir); link != "" { // somebody means it to be there
				code, why = "unreadable", "broken symbolic link "+link+": "+why
			}
		}
		fail(display(dir), code, "", "%s", why)
		return nil, diags
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !IsSpec(e.Name()) })
	if at, why, fix := ForeignFolder(dir); why != "" && len(entries) > 0 {
		fail(display(at), CodeUnsafe, fix+"; a spec names programs to run", "%s", why)
		return nil, diags
	}
	var files []File
	for _, e := range entries {
		if f, ok := readOne(fail, filepath.Join(dir, e.Name())); ok {
			files = append(files, f)
		}
	}
	return files, diags
}

// report adds a problem of a file.
type report func(name, code, hint, format string, args ...any)

func into(diags *[]diagnostic.Diagnostic) report {
	return func(name, code, hint, format string, args ...any) {
		*diags = append(*diags, diagnostic.Diagnostic{File: name, Code: code, Severity: diagnostic.Error, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
}

// readOne reads a file, unless it is none or others could have written it.
func readOne(fail report, full string) (f File, ok bool) {
	name := display(full)
	link := false
	if at, err := os.Lstat(full); err == nil {
		link = at.Mode()&fs.ModeSymlink != 0
	}
	info, err := os.Stat(full)
	switch {
	case err != nil && link:
		fail(name, "unreadable", "", "broken symbolic link: %s", reason(err))
	case err != nil:
		fail(name, "unreadable", "", "%s", reason(err))
	case info.IsDir():
		fail(name, "unreadable", "rename the folder; spec files are in one folder", "a folder with the name of a spec file")
	case !info.Mode().IsRegular():
		fail(name, "unreadable", "", "not a regular file")
	case unsafe(fail, full, link, info):
	default:
		data, err := readSome(full)
		if err != nil {
			fail(name, "unreadable", "", "%s", reason(err))
			return f, false
		}
		return File{name, data}, true
	}
	return f, false
}

// brokenLink is the symbolic link, at a path or above it, that leads nowhere; "" if there is
// none.
func brokenLink(path string) string {
	at, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	for {
		info, err := os.Lstat(at)
		if err == nil {
			if _, err := os.Stat(at); err != nil && info.Mode()&fs.ModeSymlink != 0 {
				return display(at)
			}
			return ""
		}
		if at == filepath.Dir(at) {
			return ""
		}
		at = filepath.Dir(at)
	}
}

// unsafe reports a file that other users could have written: itself, or where a link
// leads to.
func unsafe(fail report, full string, link bool, info fs.FileInfo) bool {
	at := full
	why, fix := foreign(display(full), info)
	if why == "" && link {
		if real, err := filepath.EvalSymlinks(full); err == nil {
			at, why, fix = ForeignFolder(filepath.Dir(real))
		}
	}
	if why == "" {
		return false
	}
	if at != full {
		why = display(at) + ": " + why
	}
	fail(display(full), CodeUnsafe, fix+"; a spec names programs to run", "%s", why)
	return true
}

// ReadFS is ReadDir for files that the binary carries. Names are shown below prefix.
func ReadFS(fsys fs.FS, prefix string) ([]File, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		if e.IsDir() || !IsSpec(e.Name()) {
			continue
		}
		data, err := fs.ReadFile(fsys, e.Name())
		if err != nil {
			return nil, err
		}
		files = append(files, File{path.Join(prefix, e.Name()), data})
	}
	return files, nil
}

// ReadFile reads one spec file. What is refused in a folder is refused alone, too; ok is false
// then.
func ReadFile(name string) (f File, ok bool, diags []diagnostic.Diagnostic) {
	fail := into(&diags)
	if at, why, fix := ForeignFolder(filepath.Dir(name)); why != "" {
		fail(display(at), CodeUnsafe, fix+"; a spec names programs to run", "%s", why)
		return f, false, diags
	}
	f, ok = readOne(fail, name)
	return f, ok, diags
}

// IsSpec reports whether a file of that name in a folder of specs counts.
func IsSpec(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return false
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".cue", ".yaml", ".yml":
		return true
	}
	return false
}

// readSome reads one byte more than is allowed, which is enough to be refused.
func readSome(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxFile+1))
}

// display is a name as a person would type it: relative to the working directory
// when below it.
func display(name string) string {
	abs, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	here, err := os.Getwd()
	if err != nil {
		return name
	}
	if rel, err := filepath.Rel(here, abs); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return abs
}

// reason is the error without the operation and the name, which the line has already.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
