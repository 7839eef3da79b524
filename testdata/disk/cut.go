package disk

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Cuttable is a file system whose power can be cut.
type Cuttable struct {
	Root string // absolute path

	t     testing.TB
	image string
	outer string
	cuts  int
}

// NewCuttable mounts an empty one for as long as the test lasts.
//
// Its image lies on a second file system. While that one is frozen, no write to the image
// begins or ends: what is in it then is what had reached the disk, in the order in which
// it did, with the rest of a commit or of a file missing wherever that is.
func NewCuttable(t testing.TB, bytes int) *Cuttable {
	t.Helper()
	d := &Cuttable{Root: t.TempDir(), t: t, outer: t.TempDir()}
	each["ext4"](t, d.outer, 2*bytes)
	d.image = ext4(t, filepath.Join(d.outer, "image"), bytes)
	Mount(t, d.image, d.Root)
	return d
}

// Cut returns the image of a disk whose power went away at some moment between the call
// and the return. The file system itself goes on. What was acknowledged before the call is
// promised to be in the image, and nothing else.
func (d *Cuttable) Cut() (image string) {
	d.t.Helper()
	d.cuts++
	image = filepath.Join(d.t.TempDir(), "cut-"+strconv.Itoa(d.cuts))
	must(d.t, "fsfreeze", "-f", d.outer)
	err := copyFile(d.image, image)
	if _, thaw := run("fsfreeze", "-u", d.outer); thaw != nil {
		d.t.Fatalf("fsfreeze -u %s: %v", d.outer, thaw)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return image
}

// block is how much is looked at to leave holes where there is nothing.
const block = 64 << 10

// copyFile copies a file that is mostly empty.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	b, empty := make([]byte, block), [block]byte{}
	for at := int64(0); ; at += block {
		n, err := io.ReadFull(in, b)
		if err == io.EOF {
			return out.Truncate(at)
		}
		if err != nil && err != io.ErrUnexpectedEOF {
			return err
		}
		if string(b[:n]) == string(empty[:n]) {
			continue
		}
		if _, err := out.WriteAt(b[:n], at); err != nil {
			return err
		}
	}
}
