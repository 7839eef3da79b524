package modelserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"unicode/utf8"
)

// events writes server-sent events.
type events struct {
	w   http.ResponseWriter
	out *http.ResponseController
	cut bool
}

func newEvents(w http.ResponseWriter, cut bool) *events {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Request-Id", "req_fake")
	w.WriteHeader(http.StatusOK)
	return &events{w: w, out: http.NewResponseController(w), cut: cut}
}

// send writes one event; the name is left out when it is empty.
func (e *events) send(name string, data any) {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // only our own literals come here
	}
	if name != "" {
		fmt.Fprintf(e.w, "event: %s\n", name)
	}
	fmt.Fprintf(e.w, "data: %s\n\n", text)
	e.out.Flush()
}

// delta writes an event with a piece of the answer. In a cut stream nothing
// comes after the first one, not even the end.
func (e *events) delta(name string, data any) {
	e.send(name, data)
	if e.cut {
		panic(http.ErrAbortHandler)
	}
}

// pieces divides a text into parts of at most size bytes, none of them ending
// inside a character.
func pieces(text string, size int) []string {
	var all []string
	for len(text) > size {
		at := size
		for at > 0 && !utf8.RuneStart(text[at]) {
			at--
		}
		all, text = append(all, text[:at]), text[at:]
	}
	return append(all, text)
}

const pieceSize = 4000
