package mcp

import (
	"encoding/json"
	"errors"
)

// Resource is something to be read, or, with {name} in its URI (RFC 6570), a kind of it.
type Resource struct {
	URI         string
	Name        string // for programs, unique
	Title       string // for people
	Description string // for models
	MIMEType    string
}

// Contents are what a resource holds at the moment.
type Contents struct{ MIMEType, Text string }

// NoResourceError says that there is nothing at a URI, and what to read instead.
type NoResourceError struct{ Text string }

func (e *NoResourceError) Error() string { return e.Text }

// maxURI is the longest URI, in bytes, that an error repeats.
const maxURI = 1024

// read serves a resources/read of any URI: the Caller says what is wrong with it. It
// takes a slot like a call: what is read may have to be found out.
func (r *request) read() any {
	var p struct {
		URI *string `json:"uri"`
	}
	if json.Unmarshal(r.params, &p) != nil || p.URI == nil {
		return newError(codeParams, `resources/read needs params with a "uri"`)
	}
	if r.envelope.broken != nil {
		return r.malformed(r.envelope.broken)
	}
	release, e := r.acquire()
	if e != nil {
		return e
	}
	defer release()
	found, err := r.connection.s.o.Caller.Read(r.ctx, *p.URI)
	var none *NoResourceError
	switch {
	case err == nil:
		return r.connection.s.protocol.contents(r.envelope, *p.URI, found)
	case !errors.As(err, &none):
		return newError(codeInternal, err.Error())
	}
	e = newError(codeNoResource, none.Text)
	if r.envelope.modern {
		e.Code = codeParams
	}
	if len(*p.URI) <= maxURI {
		e.Data = map[string]string{"uri": *p.URI}
	}
	return e
}
