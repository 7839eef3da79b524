package kept

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/schema"
)

// Sum is a checksum of a text.
type Sum = [sha256.Size]byte

// Compare orders checksums, as bytes.Compare does.
func Compare(a, b Sum) int { return bytes.Compare(a[:], b[:]) }

// head is how a file of the given format begins: whatever decides that its content counts.
func head(format string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%s", len(schema.Text), schema.Text)
	if build, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprint(h, build.String()) // versions of the gateway, of CUE and of Go
	}
	return fmt.Sprintf("%s %x", format, h.Sum(nil))
}

// openOwn opens a regular file that only this user can write, in a folder where nobody else
// can replace it.
func openOwn(name string) (*os.File, error) {
	if _, why, _ := specfiles.ForeignFolder(filepath.Dir(name)); why != "" {
		return nil, fs.ErrPermission
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !(info.Mode().IsRegular() && specfiles.OwnedAlone(info)) {
		err = fs.ErrPermission
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// replace replaces a file in one step. It is not synced to the disk: a file that was lost is
// made again.
func replace(name string, text []byte) error {
	temporary := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+"."+rand.Text()[:10]+".tmp")
	err := os.WriteFile(temporary, text, 0o600)
	if err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		os.Remove(temporary)
	}
	return err
}
