package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// resourceCaller has a resource at every URI of the scheme acme, whose text is the URI.
func resourceCaller() *stubCaller {
	return &stubCaller{
		resources: []Resource{
			{"acme://all", "all", "All", "All books.", "application/json"},
			{"acme://book/{name}", "book", "A book", "One book.", "text/plain"},
		},
		read: func(_ context.Context, uri string) (Contents, error) {
			switch {
			case uri == "acme://worn":
				return Contents{}, errors.New("the pages are worn")
			case uri == "acme://cursed":
				panic("secret of the caller")
			case !strings.HasPrefix(uri, "acme://"):
				return Contents{}, &NoResourceError{"there is no such book"}
			}
			return Contents{"text/plain", "<" + uri + "> \xff"}, nil
		},
	}
}

// eras are members of params by which a request belongs to one era of the protocol.
var eras = map[string]string{"old": `"_meta":{}`, "new": modern("")}

func TestResourcesAreListed(t *testing.T) {
	for era, meta := range eras {
		t.Run(era, func(t *testing.T) {
			bubble(t, Options{Caller: resourceCaller()}, func(p *peer) {
				p.sendf(`{"jsonrpc":"2.0","id":1,"method":"resources/list","params":{%s}}`, meta)
				got := string(p.recv().Result)
				if !strings.Contains(got, `"resources":[{"uri":"acme://all","name":"all","title":"All","description":"All books.","mimeType":"application/json"}]`) {
					t.Error(got)
				}
				p.sendf(`{"jsonrpc":"2.0","id":2,"method":"resources/templates/list","params":{%s}}`, meta)
				got = string(p.recv().Result)
				if !strings.Contains(got, `"resourceTemplates":[{"uriTemplate":"acme://book/{name}","name":"book","title":"A book","description":"One book.","mimeType":"text/plain"}]`) {
					t.Error(got)
				}
			})
		})
	}
}

func TestResourcesAreDeclaredWhereThereAreAny(t *testing.T) {
	for caller, want := range map[Caller]string{resourceCaller(): "{}", &stubCaller{}: ""} {
		bubble(t, Options{Caller: caller}, func(p *peer) {
			var got struct {
				Capabilities struct{ Resources json.RawMessage }
			}
			for i, answer := range []reply{p.initialize(""), p.discover()} {
				if err := json.Unmarshal(answer.Result, &got); err != nil || string(got.Capabilities.Resources) != want {
					t.Errorf("%d: %v %s, want %s", i, err, answer.Result, want)
				}
			}
		})
	}
}

func (p *peer) discover() reply {
	p.t.Helper()
	p.sendf(`{"jsonrpc":"2.0","id":"d","method":"server/discover","params":{%s}}`, modern(""))
	return p.recv()
}

func TestResourcesAreRead(t *testing.T) {
	for era, meta := range eras {
		t.Run(era, func(t *testing.T) {
			bubble(t, Options{Caller: resourceCaller()}, func(p *peer) {
				read := func(uri string) reply {
					p.sendf(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":%s,%s}}`, uri, meta)
					return p.recv()
				}
				// Those of the listing, those of a template, and what neither knows.
				for _, uri := range []string{"acme://all", "acme://book/x", "acme://book/a/b?c#d", "acme://", "acme://{name}"} {
					want := fmt.Sprintf(`"contents":[{"uri":"%s","mimeType":"text/plain","text":"<%s> `+"\ufffd"+`"}]`, uri, uri)
					if got := string(read(`"` + uri + `"`).Result); !strings.Contains(got, want) {
						t.Errorf("%s: %s", uri, got)
					}
				}
				code := map[string]int{"old": codeNoResource, "new": codeParams}[era]
				long := `"` + strings.Repeat("x", 1<<20) + `"`
				for _, uri := range []string{`"book:x"`, `""`, `"?"`, `"../../etc/passwd"`, `"file:///etc/passwd"`, `"\u0000\ud800\n"`, `"%zz%00"`, `"*"`, `"(a|b)*$"`, long} {
					got := read(uri)
					if got.Error == nil || got.Error.Code != code || got.Error.Message != "there is no such book" {
						t.Errorf("%.40s: %+v", uri, got)
					}
				}
				if got := read(`"acme://worn"`); got.Error == nil || got.Error.Code != codeInternal || got.Error.Message != "the pages are worn" {
					t.Errorf("%+v", got)
				}
				if got := read(`"acme://cursed"`); got.Error == nil || got.Error.Code != codeInternal || strings.Contains(got.Error.Message, "secret") {
					t.Errorf("%+v", got)
				}
				for _, uri := range []string{`7`, `null`, `["acme://all"]`, `{}`} {
					if got := read(uri); got.Error == nil || got.Error.Code != codeParams {
						t.Errorf("%s: %+v", uri, got)
					}
				}
			})
		})
	}
}

func TestTheURIIsSaidBack(t *testing.T) {
	bubble(t, Options{Caller: resourceCaller()}, func(p *peer) {
		for _, n := range []int{10, maxURI, maxURI + 1} {
			uri := strings.Repeat("x", n)
			p.sendf(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"%s"}}`, uri)
			if line := <-p.lines; strings.Contains(line, `"data":{"uri":"`+uri+`"}`) != (n <= maxURI) {
				t.Errorf("%d: %s", n, line)
			}
		}
		p.send(`{"jsonrpc":"2.0","id":2,"method":"resources/read"}`)
		if got := p.recv(); got.Error == nil || got.Error.Code != codeParams {
			t.Errorf("%+v", got)
		}
	})
}

func TestAReadTakesTheTurnOfACall(t *testing.T) {
	read := make(chan string, 10)
	d := resourceCaller()
	d.tools, d.call = []Tool{tool("say")}, untilCancelled
	d.read = func(_ context.Context, uri string) (Contents, error) { read <- uri; return Contents{}, nil }
	bubble(t, Options{Caller: d, MaxCalls: 1}, func(p *peer) {
		p.call("1", "")
		p.quiet()
		p.send(`{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":"acme://first"}}`)
		p.send(`{"jsonrpc":"2.0","id":3,"method":"resources/read","params":{"uri":"acme://second"}}`)
		p.quiet()
		if len(read) > 0 {
			t.Error("it did not wait")
		}
		p.send(cancelled("2"))
		p.quiet()
		p.send(cancelled("1"))
		if r := p.recv(); string(r.ID) != "3" || r.Error != nil {
			t.Errorf("%+v", r)
		}
		close(read)
		if got := slices.Collect(func(yield func(string) bool) {
			for uri := range read {
				if !yield(uri) {
					return
				}
			}
		}); !slices.Equal(got, []string{"acme://second"}) {
			t.Errorf("read: %q", got)
		}
	})
}
