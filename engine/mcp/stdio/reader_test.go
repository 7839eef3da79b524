package stdio

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestTheLineLimitIsExact(t *testing.T) {
	for _, max := range []int{100, 64 << 10, 64<<10 - 1, 200_000} {
		for _, ending := range []string{"\n", ""} {
			for length, long := range map[int]bool{max: false, max + 1: true} {
				text := strings.Repeat("a", length)
				lines := NewReader(strings.NewReader(text+ending), max)
				got, err := lines.Next()
				var tooLong *TooLongError
				if errors.As(err, &tooLong) != long && (ending != "" || length > max+1) || !long && string(got) != text {
					t.Errorf("%d of %d: %d bytes, %v", length, max, len(got), err)
				}
				if _, err := lines.Next(); err != io.EOF {
					t.Errorf("at the end: %v", err)
				}
			}
		}
	}
}

func TestAnOverlongLineIsNotHeld(t *testing.T) {
	const head = `{"id":1,"p":"`
	line := io.MultiReader(strings.NewReader(head), io.LimitReader(endless{}, 512<<20), strings.NewReader("\"}\nnext\n"))
	lines := NewReader(line, 1<<20)
	_, err := lines.Next()
	var long *TooLongError
	if !errors.As(err, &long) || !bytes.HasPrefix(long.Head, []byte(head)) || !bytes.HasSuffix(long.Tail, []byte("\"}\n")) ||
		len(long.Head)+cap(long.Tail) > 256<<10 {
		t.Fatalf("%v", err)
	}
	if got, err := lines.Next(); string(got) != "next" {
		t.Errorf("%q %v", got, err)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestLinesComeWholeHoweverTheyAreRead(t *testing.T) {
	text := "one\n\n" + strings.Repeat("z", 100_000) + "\nlast"
	for name, r := range map[string]io.Reader{
		"at once": strings.NewReader(text), "by byte": iotest.OneByteReader(strings.NewReader(text)), "with EOF": iotest.DataErrReader(strings.NewReader(text)),
	} {
		lines := NewReader(r, 1<<20)
		var got [][]byte
		for {
			b, err := lines.Next()
			if err != nil {
				break
			}
			got = append(got, bytes.Clone(b))
		}
		if joined := string(bytes.Join(got, []byte("\n"))); joined != text || len(got) != 4 {
			t.Errorf("%s: %d lines, %d bytes", name, len(got), len(joined))
		}
	}
}
