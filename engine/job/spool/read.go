package spool

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/process"
)

// Growing reads a file that grows. What was cut out of its middle is left out.
type Growing struct {
	File *os.File

	at int64
}

// Next copies what is new.
func (g *Growing) Next(w io.Writer, c process.Capture) error {
	if g.at < c.Head {
		n, err := io.Copy(w, io.NewSectionReader(g.File, g.at, c.Head-g.at))
		if g.at += n; err != nil {
			return err
		}
	}
	if !c.Truncated {
		return nil
	}
	if tail := c.Size - c.Tail; g.at < tail {
		if _, err := fmt.Fprintf(w, "\n[... %d bytes left out ...]\n", tail-g.at); err != nil {
			return err
		}
		g.at = tail
	}
	n, err := io.Copy(w, io.NewSectionReader(g.File, g.at, c.Size-g.at))
	g.at += n
	return err
}

// Window is a part of a text, in characters.
type Window struct {
	Text  string
	Total int  // of the whole text
	More  bool // more text follows
}

// ReadWindow reads the text of r to its end, and keeps at most so many characters of it
// from the offset on. Bytes that are no UTF-8 count as a character
// each.
func ReadWindow(r io.Reader, offset, most int) (w Window, err error) {
	in := bufio.NewReaderSize(r, 64<<10)
	var text strings.Builder
	for {
		c, _, err := in.ReadRune()
		if err == io.EOF {
			w.Text, w.More = text.String(), w.Total > offset+most
			return w, nil
		}
		if err != nil {
			return w, err
		}
		if w.Total >= offset && w.Total-offset < most {
			text.WriteRune(c)
		}
		w.Total++
	}
}
