package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// The types below carry a Go value into a nullable column and back, with the zero
// value as NULL. Each wraps a pointer, so that one list of fields serves both ways.

type text struct{ p *string }

func (t text) Value() (driver.Value, error) {
	if *t.p == "" {
		return nil, nil
	}
	// Readers in other languages refuse a whole row over one bad byte, and SQL's
	// own functions take a NUL for the end.
	const replacement = string(utf8.RuneError)
	return strings.ReplaceAll(strings.ToValidUTF8(*t.p, replacement), "\x00", replacement), nil
}

func (t text) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*t.p = ""
	case string:
		*t.p = v
	default:
		return fmt.Errorf("a text column holds %T", v)
	}
	return nil
}

// document is a value in JSON: a raw one or a list.
type document[T ~[]E, E any] struct{ p *T }

func jsonBytes(p *json.RawMessage) document[json.RawMessage, byte] {
	return document[json.RawMessage, byte]{p}
}

func jsonTexts(p *[]string) document[[]string, string] { return document[[]string, string]{p} }

func (d document[T, E]) Value() (driver.Value, error) {
	if len(*d.p) == 0 {
		return nil, nil
	}
	raw, err := json.Marshal(*d.p)
	return string(raw), err
}

func (d document[T, E]) Scan(v any) error {
	*d.p = nil
	if v == nil {
		return nil
	}
	raw, ok := v.(string)
	if !ok {
		return fmt.Errorf("a JSON column holds %T", v)
	}
	return json.Unmarshal([]byte(raw), d.p)
}

// instant is a time in nanoseconds since 1970, UTC.
type instant struct{ p *time.Time }

func (i instant) Value() (driver.Value, error) {
	if i.p.IsZero() {
		return nil, nil
	}
	return i.p.UnixNano(), nil
}

func (i instant) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*i.p = time.Time{}
	case int64:
		*i.p = time.Unix(0, v).UTC()
	default:
		return fmt.Errorf("a time column holds %T", v)
	}
	return nil
}

// count is a number that is zero where it does not apply.
type count struct{ p *int64 }

func (c count) Value() (driver.Value, error) { return *c.p, nil }

func (c count) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*c.p = 0
	case int64:
		*c.p = v
	default:
		return fmt.Errorf("a number column holds %T", v)
	}
	return nil
}

// number is a count that is NULL where it is zero.
type number struct{ p *int }

func (n number) Value() (driver.Value, error) {
	if *n.p == 0 {
		return nil, nil
	}
	return int64(*n.p), nil
}

func (n number) Scan(v any) error {
	var wide int64
	err := count{&wide}.Scan(v)
	*n.p = int(wide)
	return err
}

// millis is a span of time in milliseconds.
type millis struct{ p *time.Duration }

func (m millis) Value() (driver.Value, error) { return m.p.Milliseconds(), nil }

func (m millis) Scan(v any) error {
	var n int64
	err := count{&n}.Scan(v)
	*m.p = time.Duration(n) * time.Millisecond
	return err
}

// flag is 0 or 1.
type flag struct{ p *bool }

func (f flag) Value() (driver.Value, error) {
	if *f.p {
		return int64(1), nil
	}
	return int64(0), nil
}

func (f flag) Scan(v any) error {
	var n int64
	err := count{&n}.Scan(v)
	*f.p = n != 0
	return err
}

// mark is a flag that is NULL where it is not set.
type mark struct{ p *bool }

func (m mark) Value() (driver.Value, error) {
	if *m.p {
		return int64(1), nil
	}
	return nil, nil
}

func (m mark) Scan(v any) error { return flag(m).Scan(v) }

// clip returns the first limit bytes of s at most, never half a character.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
