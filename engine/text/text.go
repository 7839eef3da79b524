package text

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind names the JSON type of an argument for an error message.
func Kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case string:
		return strconv.Quote(Abbreviate(v))
	case json.Number:
		return Abbreviate(v.String())
	case float64, int, int64:
		return fmt.Sprint(v)
	case []any, []string:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return fmt.Sprintf("a %T", v)
}

// Abbreviate keeps the first 60 characters, so that an error never echoes a prompt.
func Abbreviate(s string) string { return Shorten(s, 60) }

func Shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// Printable keeps a name of the caller's on its line.
func Printable(s string) string {
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}

// OneOf lists the values of an enum: "a", "b" or "c".
func OneOf(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(v)
	}
	return Or(quoted)
}

// Or joins alternatives as a sentence does: a, b or c.
func Or(words []string) string {
	switch last := len(words) - 1; last {
	case -1:
		return ""
	case 0:
		return words[0]
	default:
		return strings.Join(words[:last], ", ") + " or " + words[last]
	}
}

// Clip keeps a value from filling the terminal: its first 60 bytes are left.
func Clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "..."
}

// Number writes 30000 as 30,000 and 0.5 as 0.5.
func Number(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	whole, fraction, _ := strings.Cut(s, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return sign + whole
}
