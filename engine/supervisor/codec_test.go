package supervisor

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestTruncateText(t *testing.T) {
	for _, tc := range []struct {
		s    string
		n    int
		want string
	}{{"abc", 5, "abc"}, {"abc", 2, "ab"}, {"aé", 2, "a"}, {"é", 1, ""}, {"a\x00b", 5, "a b"}, {"abc", -1, ""}, {"€uro", 3, "€"}} {
		if got := truncateText(tc.s, tc.n); got != tc.want {
			t.Errorf("truncateText(%q, %d) = %q, want %q", tc.s, tc.n, got, tc.want)
		}
	}
}

var fullRequest = request{Job{
	ID: "01j-A_z", Path: "/usr/bin/acme", Args: []string{"", "--a=b", "end=3", "two\nlines", "\xff"}, Dir: "/home/x",
	QueueTimeout: time.Hour,
	Limits:       Limits{Wall: time.Hour, Idle: time.Minute, Grace: time.Second, Output: 50 << 20}, KeepDescendants: true,
	Semaphores: []Semaphore{{"/p q", 3}, {"/r", 1}}}, "boot-id"}

func TestRequest(t *testing.T) {
	b := fullRequest.encode()
	if got, err := decodeRequest(b); err != nil || !reflect.DeepEqual(got, fullRequest) {
		t.Errorf("%+v, %v", got, err)
	}
	for n := range len(b) - 1 { // the last byte is a zero
		if _, err := decodeRequest(b[:n]); err == nil {
			t.Errorf("the first %d bytes are taken for all", n)
		}
		holed := bytes.Clone(b)
		for i := n; i < len(holed); i++ { // how a lost page looks
			holed[i] = 0
		}
		if _, err := decodeRequest(holed); err == nil {
			t.Errorf("zeros after %d bytes are accepted", n)
		}
	}
	newer := bytes.Replace(b, []byte("keeper="+version), []byte("keeper=9"), 1)
	if _, err := decodeRequest(newer); err != ErrRequest {
		t.Errorf("another version: %v", err)
	}
	if _, err := decodeRequest(append(bytes.Clone(b), "x=y\x00"...)); err == nil {
		t.Error("something after the end is accepted")
	}
}

// A field that a later version adds does not shut out this one.
func TestRequestWithAnUnknownField(t *testing.T) {
	r := fullRequest
	r.Args = append(r.Args, "x\x00new=field")
	got, err := decodeRequest(r.encode())
	if r.Args[5] = "x"; err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("%+v, %v", got, err)
	}
}

var (
	someTime  = time.Unix(0, 1763721600123456789)
	fullStart = Start{Pid: 4194304, Began: 1 << 40, Supervisor: 4194303, Boot: "5f1c6c2e-0000-4000-8000-3f0f7d1b9a11", At: someTime}
	fullExit  = Exit{
		Code: -1, Signal: 64, Reason: SupervisorSignal, Detail: strings.Repeat("d", maxDetail), Errno: 133,
		Started: someTime, Ended: someTime, Swept: 99, Left: 9, DiskFull: true, Err: "e",
		Stdout: Capture{Size: 1 << 50, Head: 1 << 40, Tail: 1 << 40, Truncated: true}, Stderr: Capture{Size: 7, Head: 7},
	}
)

func TestRecords(t *testing.T) {
	if got, ok := decodeStart("id", fullStart.encode("id")); !ok || got != fullStart {
		t.Errorf("start %+v, %v", got, ok)
	}
	id := strings.Repeat("i", 64)
	if got, ok := decodeExit(id, fullExit.encode(id)); !ok || got != fullExit {
		t.Errorf("exit %+v, %v", got, ok)
	}
	if _, ok := decodeExit("another", fullExit.encode(id)); ok {
		t.Error("the record of another job is accepted")
	}
	if _, ok := decodeExit("id", fullStart.encode("id")); ok {
		t.Error("a start is taken for an end")
	}
	if _, ok := decodeExit("id", make([]byte, recordSize)); ok {
		t.Error("zeros are taken for an end")
	}
}

func TestALongErrorIsCut(t *testing.T) {
	e := fullExit
	e.Err = strings.Repeat("é", 600)
	got, ok := decodeExit("id", e.encode("id"))
	if !ok || len(got.Err) < 20 || !utf8.ValidString(got.Err) || !strings.HasPrefix(e.Err, got.Err) {
		t.Errorf("%v, %q", ok, got.Err)
	}
}

func TestTheLargestRecordFits(t *testing.T) {
	const most = math.MaxInt64
	c := Capture{Size: most, Head: most, Tail: most}
	e := Exit{
		Code: math.MinInt32, Signal: math.MinInt32, Errno: math.MinInt32, Reason: SupervisorSignal, Swept: math.MaxInt32, Left: math.MaxInt32,
		Detail: strings.Repeat("d", maxDetail), Stdout: c, Stderr: c, Started: time.Unix(0, most), Ended: time.Unix(0, most),
	}
	id := strings.Repeat("i", 64)
	if got, ok := decodeExit(id, e.encode(id)); !ok || got != e {
		t.Errorf("%+v, %v", got, ok)
	}
}

// Whatever a byte of it turns into, a damaged record is none.
func TestADamagedRecordIsNone(t *testing.T) {
	good := fullExit.encode("id")
	for i := range good {
		for bit := range 8 {
			b := bytes.Clone(good)
			b[i] ^= 1 << bit
			if _, ok := decodeExit("id", b); ok {
				t.Fatalf("bit %d of byte %d does not matter", bit, i)
			}
		}
	}
}

func FuzzRequest(f *testing.F) {
	f.Add(fullRequest.encode())
	f.Add([]byte("keeper=1\x00end=9\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRequest(b)
		if err != nil {
			return
		}
		back, err := decodeRequest(r.encode())
		if err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("%+v comes back as %+v, %v", r, back, err)
		}
	})
}

func FuzzExit(f *testing.F) {
	f.Add(fullExit.encode("id"))
	f.Add(fullStart.encode("id"))
	f.Add(make([]byte, recordSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		// Bodies are tried as they are and with a checksum that is right: else chance
		// would never get past it.
		decodeStart("id", b)
		slots := [][]byte{b, encodeRecord(exitKind, b[:min(len(b), maxRecordBody)])}
		for _, slot := range slots {
			e, ok := decodeExit("id", slot)
			if !ok {
				continue
			}
			if back, ok := decodeExit("id", e.encode("id")); ok && back.Code != e.Code {
				t.Errorf("code %d comes back as %d", e.Code, back.Code)
			}
		}
	})
}

// FuzzTornExit writes a part of one record over another state of the slot: only
// the whole may be read, and then as it was.
func FuzzTornExit(f *testing.F) {
	f.Add(0, 512, 0, []byte{})
	f.Add(3, 200, 9, []byte("KPx1"))
	f.Fuzz(func(t *testing.T, code, from, n int, before []byte) {
		e := fullExit
		e.Code = int(int32(code))
		good := e.encode("id")
		slot := make([]byte, recordSize)
		copy(slot, before)
		from = min(max(from, 0), recordSize)
		n = min(max(n, 0), recordSize-from)
		copy(slot[from:from+n], good[from:])
		if got, ok := decodeExit("id", slot); ok && got != e {
			t.Errorf("a torn record is read as %+v", got)
		}
	})
}
