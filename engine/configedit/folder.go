package configedit

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"regexp"
)

// Piece is a file that a folder is to have.
type Piece struct {
	Path    string // below the folder, with slashes
	Text    []byte
	Starter bool // created once; after that its owner may change it
}

// Step is how a piece is created, updated or kept.
type Step struct {
	Change
	// Kept: a person has changed the file, so that it stays as it is.
	Kept bool
}

// Write writes the file. The text that it replaces was made by an earlier version, so no
// copy is kept.
func (s Step) Write() error {
	if s.Kept {
		return nil
	}
	return s.Replace()
}

// Prepare compares a folder with the pieces it is to have. A file that was made by an
// earlier version and that nobody has changed since is brought up to date; others are
// kept.
func Prepare(dir string, pieces []Piece) (steps []Step, err error) {
	for _, p := range pieces {
		c, err := Open(filepath.Join(dir, filepath.FromSlash(p.Path)))
		if err != nil {
			return nil, err
		}
		s := Step{Change: c}
		switch s.New = withChecksum(p.Text); {
		case p.Starter && c.Exists:
			s.New = c.Old
		case p.Starter:
			s.New = p.Text
		case c.Exists && !unchanged(c.Old):
			s.Kept = !bytes.Equal(c.Old, s.New)
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// Seal marks the position in a text of the checksum of the rest, which later shows that
// the text was not changed.
const Seal = "{seal}"

func withChecksum(text []byte) []byte {
	return bytes.Replace(text, []byte(Seal), []byte(checksum(text)), 1)
}

func checksum(text []byte) string {
	digest := sha256.Sum256(text)
	return fmt.Sprintf("sum %x", digest[:16])
}

// unchanged reports whether a text is as it was made.
func unchanged(text []byte) bool {
	found := regexp.MustCompile(`sum [0-9a-f]{32}`).Find(text)
	return found != nil && string(found) == checksum(bytes.Replace(text, found, []byte(Seal), 1))
}
