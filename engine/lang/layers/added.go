package layers

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Adds reports whether a higher layer, or a range of versions, adds to the list at a path
// instead of replacing it.
func Adds(path []string) bool {
	if len(path) > 4 && path[0] == "cli" && path[2] == "versions" {
		path = slices.Concat(path[:2], path[4:])
	}
	return slices.ContainsFunc(added, func(pattern string) bool { return matches(strings.Split(pattern, "."), path) })
}

// matches reports whether a path is of a pattern, in which * is any key.
func matches(pattern, path []string) bool {
	return slices.EqualFunc(pattern, path, func(p, k string) bool { return p == "*" || p == k })
}

// Add adds the entries of a higher list to those of a lower one; text is an entry as JSON.
// One that is there already is not repeated. A rule of risk with the id and the condition
// of one below takes its place, unless it scores less: less is told of both then.
func Add[T any](below, above []T, text func(T) []byte, less func(above, below T)) []T {
	out := slices.Clone(below)
	keys := make([]key, len(below))
	for i, e := range below {
		keys[i] = keyOf(text(e))
	}
	for _, e := range above {
		k := keyOf(text(e))
		i := slices.IndexFunc(keys, k.same)
		switch {
		case i < 0:
			out = append(out, e)
		case k.score >= keys[i].score:
			out[i] = e
		default:
			less(e, below[i])
		}
	}
	return out
}

// AddJSON lays a list over a lower one, if both are lists and the path is one of a list to
// which layers add.
func AddJSON(path []string, below, above json.RawMessage) (sum json.RawMessage, ok bool) {
	var low, high []json.RawMessage
	if !Adds(path) || !list(below) || !list(above) || json.Unmarshal(below, &low) != nil || json.Unmarshal(above, &high) != nil {
		return nil, false
	}
	sum, err := json.Marshal(Add(low, high, func(e json.RawMessage) []byte { return e }, func(json.RawMessage, json.RawMessage) {}))
	return sum, err == nil
}

func list(text json.RawMessage) bool { return bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) }

// key is that by which entries are the same.
type key struct {
	text     string // of what is no rule
	id, when string
	score    int
}

func (k key) same(other key) bool {
	k.score, other.score = 0, 0
	return k == other
}

func keyOf(entry []byte) key {
	var rule lang.RiskSpec
	if json.Unmarshal(entry, &rule) == nil && rule.When != "" {
		return key{id: rule.ID, when: rule.When, score: rule.Score}
	}
	return key{text: string(entry)}
}
