package diagnostic

import "testing"

func TestSort(t *testing.T) {
	d := func(file string, line, col int, path, msg string) Diagnostic {
		return Diagnostic{File: file, Line: line, Col: col, Path: path, Message: msg}
	}
	got := Sort([]Diagnostic{
		d("b", 1, 1, "p", "m"), d("a", 10, 1, "p", "m"), d("a", 9, 2, "q", "m"), d("a", 9, 1, "p", "n"),
		d("a", 9, 1, "p", "m"), d("a", 9, 1, "z", "m"), d("env:X", 0, 0, "p", "m"), d("env:X", 0, 0, "q", "m"),
	})
	want := []Diagnostic{
		d("a", 9, 1, "p", "m"), d("a", 9, 1, "p", "n"), d("a", 9, 2, "q", "m"), d("a", 10, 1, "p", "m"),
		d("b", 1, 1, "p", "m"), d("env:X", 0, 0, "p", "m"), d("env:X", 0, 0, "q", "m"),
	}
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%d: want %v, got %v", i, want[i], got[i])
		}
	}
}
