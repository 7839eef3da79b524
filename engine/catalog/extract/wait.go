package extract

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr"
)

// functions are what expressions may call besides the builtins: capture(TEXT, RE2) is the
// first group of the first match, or all of it, "" for none; waitMs(TEXT, NOW) is for how
// many milliseconds from NOW, in Unix milliseconds, a text says to wait, 0 if it does not.
func functions() []expr.Option {
	return []expr.Option{
		expr.Function("capture", func(args ...any) (any, error) { return capture(args[0].(string), args[1].(string)) }, new(func(string, string) string)),
		expr.Function("waitMs", func(args ...any) (any, error) { return waitMs(args[0].(string), args[1].(int)), nil }, new(func(string, int) int)),
	}
}

func capture(text, pattern string) (string, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return "", err
	}
	found := re.FindStringSubmatch(text)
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0], nil
	}
	return found[1], nil
}

var (
	unixTime = regexp.MustCompile(`(?:^|[^0-9])([0-9]{13}|[0-9]{10})(?:[^0-9]|$)`)
	isoTime  = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2})`)
	clock    = regexp.MustCompile(`(?i)(?:(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? ([0-9]{1,2})(?:st|nd|rd|th)?,?(?: ([0-9]{4}),?)?(?: at)? )?\b([0-9]{1,2})(?::([0-9]{2}))?(?::[0-9]{2})? ?([ap]m)?(?: ?\(?([A-Z][A-Za-z_]+(?:/[A-Za-z_]+)+|UTC)\)?)?`)
	span     = regexp.MustCompile(`(?i)([0-9]+(?:\.[0-9]+)?) ?(milliseconds?|ms|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)`)
)

var months = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

// waitMs understands a Unix time, a time of ISO 8601, a span as in "2 days 3 hours" and
// "2h3m4s", and a time of day, with a date and a zone where they are given.
func waitMs(text string, now int) int {
	at := time.UnixMilli(int64(now))
	until := func(t time.Time) int { return int(max(0, t.Sub(at).Milliseconds())) }
	if m := unixTime.FindStringSubmatch(text); m != nil {
		n, _ := strconv.ParseInt(m[1], 10, 64)
		if len(m[1]) == 10 {
			n *= 1000
		}
		return until(time.UnixMilli(n))
	}
	if t, err := time.Parse(time.RFC3339, isoTime.FindString(text)); err == nil {
		return until(t)
	}
	if ms := spans(text); ms > 0 {
		return ms
	}
	return timeOfDay(text, at, until)
}

func spans(text string) (ms int) {
	unit := map[string]float64{"d": 86400e3, "h": 3600e3, "m": 60e3, "s": 1e3}
	for _, m := range span.FindAllStringSubmatchIndex(text, -1) {
		if m[1] < len(text) && letter(text[m[1]]) { // another word
			continue
		}
		n, _ := strconv.ParseFloat(text[m[2]:m[3]], 64)
		switch name := strings.ToLower(text[m[4]:m[5]]); {
		case n > 1e6:
		case name == "ms" || strings.HasPrefix(name, "milli"):
			ms += int(n)
		default:
			ms += int(n * unit[name[:1]])
		}
	}
	return ms
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func timeOfDay(text string, now time.Time, until func(time.Time) int) int {
	for _, m := range clock.FindAllStringSubmatch(text, -1) {
		month, day, year, hour, minute, half, zone := m[1], m[2], m[3], m[4], m[5], strings.ToLower(m[6]), m[7]
		if minute == "" && half == "" {
			continue
		}
		where := time.Local
		if loaded, err := time.LoadLocation(zone); zone != "" && err == nil {
			where = loaded
		}
		here := now.In(where)
		h, min := number(hour), number(minute)
		if half != "" {
			h %= 12
		}
		if half == "pm" {
			h += 12
		}
		if h > 23 || min > 59 {
			continue
		}
		t := time.Date(here.Year(), here.Month(), here.Day(), h, min, 0, 0, where)
		for i, name := range months {
			if strings.EqualFold(name, month) {
				t = time.Date(here.Year(), time.Month(i+1), number(day), h, min, 0, 0, where)
			}
		}
		switch {
		case year != "":
			t = time.Date(number(year), t.Month(), t.Day(), h, min, 0, 0, where)
		case month != "" && t.Before(now):
			t = t.AddDate(1, 0, 0)
		case t.Before(now):
			t = t.AddDate(0, 0, 1)
		}
		return until(t)
	}
	return 0
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
