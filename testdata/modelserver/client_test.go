package modelserver

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// answer is everything a client could read from one exchange.
type answer struct {
	status     int
	text       string
	tool, args string
	err        error // the connection broke
}

// ask plays one request of a vendor's client.
func ask(ctx context.Context, s *Server, scenario string, v vendor, stream bool, body object) answer {
	request, err := http.NewRequestWithContext(ctx, "POST", s.Base(scenario)+v.path(stream), strings.NewReader(mustJSON(body)))
	if err != nil {
		return answer{err: err}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode}
	read := func(text []byte) error {
		var doc object
		if err := json.Unmarshal(text, &doc); err != nil {
			return err
		}
		a.text += v.text(doc)
		tool, args := v.call(doc)
		a.tool, a.args = a.tool+tool, a.args+args
		return nil
	}
	if !stream || a.status != 200 {
		whole, err := io.ReadAll(response.Body)
		if a.err = err; err == nil {
			a.err = read(whole)
		}
		return a
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && data != "[DONE]" {
			a.err = errors.Join(a.err, read([]byte(data)))
		}
	}
	a.err = errors.Join(a.err, lines.Err())
	return a
}

// each runs a test for every protocol, streamed and not.
func each(t *testing.T, test func(t *testing.T, s *Server, v vendor, stream bool)) {
	for _, v := range vendors {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/stream=%t", v.name, stream), func(t *testing.T) {
				s := New()
				defer s.Close()
				test(t, s, v, stream)
			})
		}
	}
}
