package specfiles

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
)

// LockName is the file in which a folder keeps the hashes of its spec files, as the
// command sha256sum writes them.
const LockName = "specs.lock"

// CodeLocked is the code of what differs from a lock.
const CodeLocked = "locked"

// Lock is the text of a lock of these files.
func Lock(files []File) []byte {
	var b bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&b, "%s  %s\n", digestOf(f.Data), base(f.Name))
	}
	return b.Bytes()
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func base(name string) string { return path.Base(filepath.ToSlash(name)) }

// CheckLock holds the files of a folder against its lock, if it has one: what was
// changed, added or taken away since is a warning, since its owner may have meant it.
// What other users could have written is refused, as a spec is.
func CheckLock(dir string, files []File) (locked bool, diags []diagnostic.Diagnostic) {
	name := filepath.Join(dir, LockName)
	tell := func(file, severity, code, hint, message string) {
		diags = append(diags, diagnostic.Diagnostic{File: file, Code: code, Severity: severity, Message: message, Hint: hint})
	}
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	text, unread := readSome(name)
	if err = errors.Join(err, unread); err != nil {
		tell(display(name), diagnostic.Error, "unreadable", "", reason(err))
		return true, diags
	}
	if why, fix := foreign(display(name), info); why != "" {
		tell(display(name), diagnostic.Error, CodeUnsafe, fix, why)
		return true, diags
	}
	meant := "if that is meant: gateway lock " + display(dir)
	sums := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		sum, file, ok := strings.Cut(lines.Text(), "  ")
		if !ok || len(sum) != sha256.Size*2 || file == "" {
			tell(display(name), diagnostic.Warning, CodeLocked, "recreate it: gateway lock "+display(dir), "is not a line of a lock")
			diags[len(diags)-1].Line, diags[len(diags)-1].Col = n, 1
			continue
		}
		sums[file] = sum
	}
	for _, f := range files {
		switch sum, known := sums[base(f.Name)]; {
		case !known:
			tell(f.Name, diagnostic.Warning, CodeLocked, meant, "is not in "+LockName)
		case sum != digestOf(f.Data):
			tell(f.Name, diagnostic.Warning, CodeLocked, meant, "has been changed since it was locked")
		}
		delete(sums, base(f.Name))
	}
	for _, file := range slices.Sorted(maps.Keys(sums)) {
		tell(display(name), diagnostic.Warning, CodeLocked, meant, file+" is gone")
	}
	return true, diags
}
