package host

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxLinks is how many links are followed from the place of a program to its file.
const maxLinks = 16

// withInterpreter is the search path of a program. If the program is a script whose
// interpreter is looked up there, and one lies beside the script, that one is found first:
// version managers keep both in one folder, and the first on the path may be another version.
func withInterpreter(program string, folders []string) []string {
	name := interpreter(program)
	if name == "" {
		return folders
	}
	for range maxLinks {
		dir := filepath.Dir(program)
		if executable(filepath.Join(dir, name)) == nil {
			i := slices.IndexFunc(folders, func(f string) bool { return executable(filepath.Join(f, name)) == nil })
			if i >= 0 && folders[i] == dir {
				return folders
			}
			return slices.Concat([]string{dir}, slices.DeleteFunc(slices.Clone(folders), func(f string) bool { return f == dir }))
		}
		target, err := os.Readlink(program)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		program = target
	}
	return folders
}

// interpreter is the name by which the first line of a script has its interpreter looked up:
// that of "#!/usr/bin/env node" is node. "" if there is none.
func interpreter(program string) string {
	file, err := os.Open(program)
	if err != nil {
		return ""
	}
	defer file.Close()
	var head [256]byte
	n, _ := file.Read(head[:])
	line, _, _ := bytes.Cut(head[:n], []byte("\n"))
	line, script := bytes.CutPrefix(line, []byte("#!"))
	words := strings.Fields(string(line))
	if !script || len(words) == 0 || filepath.Base(words[0]) != "env" {
		return ""
	}
	for _, word := range words[1:] {
		if strings.HasPrefix(word, "-") || strings.Contains(word, "=") { // of env
			continue
		}
		if strings.ContainsAny(word, `/\`) {
			return ""
		}
		return word
	}
	return ""
}
