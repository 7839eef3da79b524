package store

import (
	"crypto/rand"
	"encoding/binary"
	"math/bits"
	"strings"
	"sync/atomic"
	"time"
)

const (
	idLength   = 26
	idAlphabet = "0123456789abcdefghjkmnpqrstvwxyz" // Crockford's: no i, l, o, u
)

var lastIDMillis atomic.Uint64

// NewID returns a job id: 26 lowercase characters of Crockford base 32 that hold
// 48 bits of Unix milliseconds and 80 random bits, so that ids sort by time. The
// ids that one process makes sort in the order it made them.
func NewID() string {
	// Ids of the same millisecond would sort at random, and a clock set back
	// would hide new rows behind old ones: no process uses a millisecond twice.
	var millis uint64
	for {
		last := lastIDMillis.Load()
		millis = max(uint64(time.Now().UnixMilli()), last+1)
		if lastIDMillis.CompareAndSwap(last, millis) {
			break
		}
	}
	return encodeID(millis, rand.Read)
}

func encodeID(millis uint64, random func([]byte) (int, error)) string {
	var raw [16]byte
	_, _ = random(raw[:]) // crypto/rand.Read never fails: it ends the program instead
	hi := millis<<16 | binary.BigEndian.Uint64(raw[:8])&0xffff
	lo := binary.BigEndian.Uint64(raw[8:])

	var text [idLength]byte
	for i := idLength - 1; i >= 0; i-- {
		text[i] = idAlphabet[lo&31]
		lo = lo>>5 | bits.RotateLeft64(hi&31, 59)
		hi >>= 5
	}
	return string(text[:])
}

// ValidID says whether id could have come from NewID. An id names a folder, so
// what a client sends as one is checked with this first.
func ValidID(id string) bool {
	return len(id) == idLength && id[0] <= '7' && strings.Trim(id, idAlphabet) == ""
}

// FirstID is not above any id that is made at t or later.
func FirstID(t time.Time) string {
	return encodeID(uint64(max(t.UnixMilli(), 0)), func(b []byte) (int, error) { clear(b); return len(b), nil })
}

// IDAt returns a new job id of a time. Those of one millisecond sort at random.
func IDAt(t time.Time) string { return encodeID(uint64(max(t.UnixMilli(), 0)), rand.Read) }

// IDTime is when an id was made, by the clock of whoever made it; zero if it is no id.
func IDTime(id string) time.Time {
	if !ValidID(id) {
		return time.Time{}
	}
	// The ids are 130 bits for 128: the first ten characters hold the 48 bits of time.
	var millis int64
	for i := range 10 {
		millis = millis<<5 | int64(strings.IndexByte(idAlphabet, id[i]))
	}
	return time.UnixMilli(millis)
}
