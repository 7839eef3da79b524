package extract

import (
	"testing"
	"time"
)

func settle(t *testing.T, more string) *Settle {
	t.Helper()
	return output(t, more).Settle()
}

func TestSettle(t *testing.T) {
	const end, text, alive = "{\"type\":\"end\"}\n", "{\"type\":\"text\",\"text\":\"more\"}\n", "{\"type\":\"alive\"}\n"
	type write struct {
		at   int // second
		text string
	}
	for name, c := range map[string]struct {
		more   string
		writes []write
		first  int // second at which it has settled; 0: never
	}{
		"after the end":            {"", []write{{1, text}, {2, end}}, 7},
		"not before":               {"", []write{{1, text}}, 0},
		"keep-alives do not count": {"", []write{{1, end}, {3, alive}, {5, alive}}, 6},
		"what is read counts":      {"", []write{{1, end}, {4, text}}, 9},
		"another end counts":       {"", []write{{1, end}, {4, end}}, 9},
		"in parts":                 {"", []write{{1, end[:5]}, {2, end[5:]}}, 7},
		"without an end of line":   {"", []write{{1, end[:len(end)-1]}}, 6},
		"behind noise":             {"", []write{{1, "\x1b[0mdone " + end}}, 6},
		"its own time":             {`,"settleMs":1000`, []write{{1, end}}, 2},
		"busy":                     {`,"busy":"event.type == 'task' ? event.runs : nil"`, []write{{1, "{\"type\":\"task\",\"runs\":true}\n"}, {2, end}}, 0},
		"busy no more":             {`,"busy":"event.type == 'task' ? event.runs : nil"`, []write{{1, "{\"type\":\"task\",\"runs\":true}\n"}, {2, end}, {4, "{\"type\":\"task\",\"runs\":false}\n"}}, 9},
	} {
		s, start, first := settle(t, c.more), time.Unix(0, 0), 0
		for second := 1; second < 20 && first == 0; second++ {
			now := start.Add(time.Duration(second) * time.Second)
			for _, w := range c.writes {
				if w.at == second {
					s.Write([]byte(w.text), now)
				}
			}
			if s.Settled(now) {
				first = second
			}
		}
		if first != c.first {
			t.Errorf("%s: settled at second %d, want %d", name, first, c.first)
		}
	}
	if settle(t, `,"settleMs":0`) != nil {
		t.Error("a program that may stay is watched")
	}
}
