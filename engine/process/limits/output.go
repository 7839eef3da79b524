package limits

import (
	"os"
)

// Capture says which bytes of an output file are output that was kept.
type Capture struct {
	// Size is the number of bytes that were written.
	Size int64
	// Head and Tail are the numbers of bytes kept from the beginning and from the
	// end; without truncation Head is Size and Tail is 0.
	Head, Tail int64
	// Truncated reports that what lies between Head and Tail is lost.
	Truncated bool
}

// CaptureOf returns what a cap of max bytes leaves of an output of size bytes.
func CaptureOf(size, max int64) Capture {
	if size <= max {
		return Capture{Size: size, Head: size}
	}
	return Capture{Size: size, Head: max / 2, Tail: max - max/2, Truncated: true}
}

// Punch gives the bytes [from, to) of f back to the file system and leaves its size alone.
// The error is errors.ErrUnsupported if the file system cannot do so.
type Punch func(f *os.File, from, to int64) error

// block is the alignment of holes. A hole that does not begin and end with a block frees
// nothing at its edges and costs a write there.
const block = 4096

// Output is an output file of a running command. The command itself writes into it, so the
// cap is kept by looking at the size of the file, and by giving its
// middle back to the file system while its head and tail stay.
type Output struct {
	File *os.File

	max     int64
	punch   Punch
	size    int64
	punched int64 // end of the hole
}

// NewOutput returns the output in f, an empty file of which max bytes are kept.
func NewOutput(f *os.File, max int64, punch Punch) *Output {
	return &Output{File: f, max: max, punch: punch}
}

// Check reports whether the output changed since the last check, and drops what exceeds
// the cap.
func (o *Output) Check() (grew bool, err error) {
	st, err := o.File.Stat()
	if err != nil {
		return false, err
	}
	if st.Size() < o.size { // truncated by the command: the hole is gone
		o.punched = 0
	}
	grew = st.Size() != o.size
	o.size = st.Size()
	return grew, o.trim()
}

// trim makes the hole as large as the cap allows.
func (o *Output) trim() error {
	c := o.Capture()
	if !c.Truncated {
		return nil
	}
	from := max(o.punched, (c.Head+block-1)/block*block)
	to := (c.Size - c.Tail) / block * block
	if to <= from {
		return nil
	}
	if err := o.punch(o.File, from, to); err != nil {
		return err
	}
	o.punched = to
	return nil
}

// Capture returns what is kept of the output that the last check saw.
func (o *Output) Capture() Capture { return CaptureOf(o.size, o.max) }
