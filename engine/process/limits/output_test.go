package limits

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func fileWith(t testing.TB, text string) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func truncated(size, head, tail int) Capture {
	return Capture{Size: int64(size), Head: int64(head), Tail: int64(tail), Truncated: true}
}

func TestOutput(t *testing.T) {
	type hole struct{ from, to int64 }
	var holes []hole
	punch := func(_ *os.File, from, to int64) error { holes = append(holes, hole{from, to}); return nil }
	const limit = 10 * block
	steps := []struct {
		size int64
		grew bool
		want []hole
		c    Capture
	}{
		{0, false, nil, Capture{}},
		{limit, true, nil, Capture{Size: limit, Head: limit}},
		{limit, false, nil, Capture{Size: limit, Head: limit}},
		{limit + 1, true, nil, Capture{Size: limit + 1, Head: limit / 2, Tail: limit / 2, Truncated: true}},
		{limit + block, true, []hole{{5 * block, 6 * block}}, truncated(limit+block, limit/2, limit/2)},
		{limit + 3*block + 7, true, []hole{{6 * block, 8 * block}}, truncated(limit+3*block+7, limit/2, limit/2)},
		{100, true, nil, Capture{Size: 100, Head: 100}},
		{limit + block, true, []hole{{5 * block, 6 * block}}, truncated(limit+block, limit/2, limit/2)},
	}
	f := fileWith(t, "")
	s := NewOutput(f, limit, punch)
	for i, st := range steps {
		holes = nil
		if err := f.Truncate(st.size); err != nil {
			t.Fatal(err)
		}
		grew, err := s.Check()
		if err != nil || grew != st.grew || fmt.Sprint(holes) != fmt.Sprint(st.want) || s.Capture() != st.c {
			t.Errorf("step %d: grew %v, holes %v, %+v, %v", i, grew, holes, s.Capture(), err)
		}
	}
}

func TestOutputKeepsBothEndsExactly(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789abcde\n"), 4096)
	for _, limit := range []int64{1, 2, 4095, 4097, 12345, 65535} {
		f := fileWith(t, string(text))
		s := NewOutput(f, limit, PunchHole)
		if _, err := s.Check(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			t.Fatal(err)
		}
		c := s.Capture()
		got, err := os.ReadFile(f.Name())
		if err != nil || c.Head+c.Tail != limit {
			t.Fatalf("%+v, %v", c, err)
		}
		if !bytes.Equal(got[:c.Head], text[:c.Head]) || !bytes.Equal(got[c.Size-c.Tail:], text[c.Size-c.Tail:]) {
			t.Errorf("limit %d: the ends are not the text's", limit)
		}
	}
}
