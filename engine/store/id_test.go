package store

import (
	"crypto/rand"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestEncodeID(t *testing.T) {
	fill := func(b byte) func([]byte) (int, error) {
		return func(p []byte) (int, error) {
			for i := range p {
				p[i] = b
			}
			return len(p), nil
		}
	}
	for _, tt := range []struct {
		millis uint64
		random byte
		want   string
	}{
		{0, 0, "00000000000000000000000000"},
		{0, 0xff, "0000000000zzzzzzzzzzzzzzzz"},
		{1<<48 - 1, 0xff, "7zzzzzzzzzzzzzzzzzzzzzzzzz"},
		{1469918176385, 0, "01aryz6s410000000000000000"},
	} {
		got := encodeID(tt.millis, fill(tt.random))
		if got != tt.want {
			t.Errorf("encodeID(%d, %#x) = %s, want %s", tt.millis, tt.random, got, tt.want)
		}
		if !ValidID(got) {
			t.Errorf("%s is not valid", got)
		}
	}
}

func TestNewIDSortsAndIsUnique(t *testing.T) {
	const each, makers = 2000, 8
	lists := make([][]string, makers)
	var wait sync.WaitGroup
	for i := range lists {
		wait.Go(func() {
			for range each {
				lists[i] = append(lists[i], NewID())
			}
		})
	}
	wait.Wait()
	for _, list := range lists {
		if !slices.IsSorted(list) {
			t.Fatal("ids of one goroutine are out of order")
		}
	}
	all := slices.Concat(lists...)
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != each*makers {
		t.Errorf("%d different ids of %d", n, each*makers)
	}
}

func TestValidID(t *testing.T) {
	good := NewID()
	for _, bad := range []string{"", good[1:], good + "0", strings.ToUpper("a") + good[1:], "8" + good[1:], good[:25] + "/", good[:25] + "u", good[:24] + "é"} {
		if ValidID(bad) {
			t.Errorf("%q passes", bad)
		}
	}
}

func FuzzValidID(f *testing.F) {
	f.Add(NewID())
	f.Add("../../../../etc/passwd00000")
	f.Fuzz(func(t *testing.T, id string) {
		if ValidID(id) && (len(id) != 26 || strings.ContainsAny(id, "./\\\x00 -")) {
			t.Errorf("%q passes", id)
		}
	})
}

func TestIDTime(t *testing.T) {
	for _, millis := range []int64{0, 1, 1_900_000_000_123, 1<<48 - 1} {
		at := time.UnixMilli(millis)
		for _, id := range []string{FirstID(at), encodeID(uint64(millis), rand.Read)} {
			if got := IDTime(id); !got.Equal(at) || !ValidID(id) || id < FirstID(at) {
				t.Errorf("%s: %v became %v", id, at, got)
			}
		}
	}
	if !IDTime("nonsense").IsZero() {
		t.Error("what is no id has a time")
	}
}
