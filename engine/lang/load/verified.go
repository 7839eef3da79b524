package load

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/schema"
)

// A file of verified entries lets the next process skip what takes most of the time of a
// load: asking CUE whether an entry fits the schema. It contains nothing but checksums of
// entries that CUE accepted. All else is done again at every load, so positions and
// diagnostics are the same with and without the file. A damaged checksum matches no
// entry, which is then verified as usual.
const (
	verifiedFormat = "verified specs 1" // changes when verify accepts other entries
	maxVerified    = 1024               // checksums in a file: those in use come first
)

// Restore reads a file of verified entries that Save wrote. It ignores one that is
// missing, belongs to another build or schema, is malformed, or that another user owns,
// can write or can replace.
func (m *Memory) Restore(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.restored = readVerified(name)
}

// Save writes the entries that the last load found to fit the schema, and further ones
// that were restored, to a file that only this user can read. It does nothing if the
// last load verified nothing new. The folder must exist.
func (m *Memory) Save(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	sums := slices.SortedFunc(maps.Keys(m.now.sound), compareSums)
	if !slices.ContainsFunc(sums, func(s sum) bool { return !m.restored[s] }) {
		return nil
	}
	for _, s := range slices.SortedFunc(maps.Keys(m.restored), compareSums) {
		if !m.now.sound[s] {
			sums = append(sums, s)
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", verifiedHead())
	written := map[sum]bool{}
	for _, s := range sums[:min(len(sums), maxVerified)] {
		fmt.Fprintf(&b, "%x\n", s)
		written[s] = true
	}
	if err := writeVerified(name, b.Bytes()); err != nil {
		return err
	}
	m.restored = written
	return nil
}

func compareSums(a, b sum) int { return bytes.Compare(a[:], b[:]) }

// verifiedHead is the first line of a file: whatever decides that an entry fits.
func verifiedHead() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%s", len(schema.Text), schema.Text)
	if build, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprint(h, build.String()) // versions of the gateway, of CUE and of Go
	}
	return fmt.Sprintf("%s %x", verifiedFormat, h.Sum(nil))
}

func readVerified(name string) map[sum]bool {
	if _, why, _ := specfiles.ForeignFolder(filepath.Dir(name)); why != "" {
		return nil
	}
	f, err := openOwn(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, 100*maxVerified))
	if !lines.Scan() || lines.Text() != verifiedHead() {
		return nil
	}
	sums := map[sum]bool{}
	for lines.Scan() {
		var s sum
		if len(lines.Bytes()) != hex.EncodedLen(len(s)) {
			return nil
		}
		if _, err := hex.Decode(s[:], lines.Bytes()); err != nil {
			return nil
		}
		sums[s] = true
	}
	if lines.Err() != nil {
		return nil
	}
	return sums
}

// openOwn opens a regular file that only this user can write.
func openOwn(name string) (*os.File, error) {
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

// writeVerified replaces a file in one step. It is not synced to the disk: a file that
// was lost is made again.
func writeVerified(name string, text []byte) error {
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
