package modelserver

import (
	"strings"
	"testing"
)

func TestTries(t *testing.T) {
	each(t, func(t *testing.T, s *Server, v vendor, stream bool) {
		const scenario = `tries:[{"tool":"Gone","args":{"a":1}},{"tool":"ns/Two","args":{}}]`
		request := v.body(stream, "<<<hi>>>")
		first := ask(t.Context(), s, scenario, v, stream, request)
		request = v.answered(request, "no such tool")
		second := ask(t.Context(), s, scenario, v, stream, request)
		last := ask(t.Context(), s, scenario, v, stream, v.answered(request, "done"))
		if first.tool != "Gone" || first.args != `{"a":1}` || second.tool != "Two" || !strings.Contains(last.text, " tool=") || !strings.Contains(last.text, "done") {
			t.Errorf("%+v\n%+v\n%+v", first, second, last)
		}
	})
}
