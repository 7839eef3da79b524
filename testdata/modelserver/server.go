package modelserver

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
)

// Request is what the server saw of one request.
type Request struct {
	Scenario string
	Method   string
	Path     string // the vendor's path, without the scenario
	Protocol string // messages, responses, chat, gemini; "" for anything else
	Model    string
	Stream   bool
	Turns    int      // as in the reply
	Prompt   string   // as hashed in the reply
	Users    []string // every user message in full, wrappings included
	Tools    []string // names offered to the model
	Header   http.Header
	Body     []byte
}

// Handler answers as the vendors would and remembers what it was asked.
type Handler struct {
	quit     chan struct{}
	released chan struct{}
	release  sync.Once

	mu   sync.Mutex
	seen []Request
	once map[string]bool // scenarios of the kind "fail once" that have failed
}

// NewHandler returns a handler without a listener.
func NewHandler() *Handler {
	return &Handler{quit: make(chan struct{}), released: make(chan struct{}), once: map[string]bool{}}
}

// Server is a Handler on a loopback port of its own.
type Server struct {
	*Handler
	http *httptest.Server
}

// New starts a server on a free loopback port. The caller closes it.
func New() *Server {
	h := NewHandler()
	return &Server{Handler: h, http: httptest.NewServer(h)}
}

// Base is the URL under which a program finds the vendor playing a scenario.
func (s *Server) Base(scenario string) string {
	return s.http.URL + "/" + url.PathEscape(scenario)
}

// Close ends the replies that hang, then the server.
func (s *Server) Close() {
	close(s.quit)
	s.http.Close()
}

// Release lets the answers go that are held, now and from now on.
func (h *Handler) Release() { h.release.Do(func() { close(h.released) }) }

// Requests returns what was asked so far, oldest first. Another process gets
// the same as JSON from /requests.
func (h *Handler) Requests() []Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Request(nil), h.seen...)
}

// A protocol is one vendor's wire format.
type protocol interface {
	// parse reads a request into the neutral form.
	parse(path string, body []byte) (turn, error)
	// failure is the vendor's body for an HTTP error.
	failure(code int, message string) any
	// whole answers in one JSON document.
	whole(turn, reply) any
	// stream answers in events.
	stream(*events, turn, reply)
}

// route finds the wire format of a path. The second result is a document for
// the small side questions that need no model.
func route(path string) (name string, p protocol, side any) {
	switch {
	case strings.HasSuffix(path, "/messages"):
		return "messages", messages{}, nil
	case strings.HasSuffix(path, "/responses"):
		return "responses", responses{}, nil
	case strings.HasSuffix(path, "/chat/completions"):
		return "chat", chat{}, nil
	case strings.HasSuffix(path, ":generateContent"), strings.HasSuffix(path, ":streamGenerateContent"):
		return "gemini", gemini{}, nil
	case strings.HasSuffix(path, "/messages/count_tokens"):
		return "", nil, object{"input_tokens": inputTokens}
	case strings.HasSuffix(path, ":countTokens"):
		return "", nil, object{"totalTokens": inputTokens}
	case strings.HasSuffix(path, "/models"):
		return "", nil, object{"object": "list", "data": []object{{"id": "fake-model", "object": "model", "created": 1, "owned_by": "fake"}}}
	}
	return "", nil, nil
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	// Escaped, because a scenario may hold a slash of its own.
	segment, path, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	segment, path = unescape(segment), "/"+unescape(path)
	if segment == "requests" {
		writeJSON(w, http.StatusOK, h.Requests())
		return
	}
	name, proto, side := route(path)
	seen := Request{Scenario: segment, Method: r.Method, Path: path, Protocol: name, Header: r.Header.Clone(), Body: body}
	if proto == nil {
		h.record(seen)
		if side == nil {
			writeJSON(w, http.StatusNotFound, object{"error": object{"message": "no such path: " + path}})
			return
		}
		writeJSON(w, http.StatusOK, side)
		return
	}
	t, err := proto.parse(path, body)
	if err != nil {
		h.record(seen)
		writeJSON(w, http.StatusBadRequest, proto.failure(http.StatusBadRequest, err.Error()))
		return
	}
	seen.Model, seen.Stream, seen.Users, seen.Tools = t.model, t.stream, t.texts(), t.toolNames()
	seen.Turns, seen.Prompt = t.prompt()
	h.record(seen)

	sc, err := parseScenario(segment)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, proto.failure(http.StatusBadRequest, err.Error()))
		return
	}
	if sc.status != 0 && !(sc.once && h.failedBefore(segment)) {
		writeJSON(w, sc.status, proto.failure(sc.status, fmt.Sprintf("fake status %d", sc.status)))
		return
	}
	if !h.wait(r, sc, t) {
		return
	}
	answer := sc.reply(t)
	switch {
	case t.stream:
		proto.stream(newEvents(w, answer.cut), t, answer)
	case answer.cut:
		io.WriteString(w, "{")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	default:
		writeJSON(w, http.StatusOK, proto.whole(t, answer))
	}
}

func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

func (h *Handler) record(r Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen = append(h.seen, r)
}

func (h *Handler) failedBefore(segment string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.once[segment]
	h.once[segment] = true
	return before
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Request-Id", "req_fake")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}
