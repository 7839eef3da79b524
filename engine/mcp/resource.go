package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// Resource is something to be read, or, with {name} in its URI (RFC 6570), a kind of it.
type Resource struct {
	URI         string
	Name        string // of machines, unique
	Title       string // for people
	Description string // for models
	MIMEType    string
}

// Contents are what a resource holds at the moment.
type Contents struct{ MIMEType, Text string }

// NoResourceError says that there is nothing at a URI, and what to read instead.
type NoResourceError struct{ Text string }

func (e *NoResourceError) Error() string { return e.Text }

// offer tells mcp-go what can be read. It is not asked to find what a URI stands for:
// the session of a read brings that along, see [reading].
func (s *Server) offer(resources []Resource) {
	for _, r := range resources {
		if strings.Contains(r.URI, "{") {
			s.core.AddResourceTemplate(mcp.NewResourceTemplate(r.URI, r.Name, mcp.WithTemplateTitle(r.Title),
				mcp.WithTemplateDescription(r.Description), mcp.WithTemplateMIMEType(r.MIMEType)), nil)
			continue
		}
		s.core.AddResource(mcp.NewResource(r.URI, r.Name, mcp.WithResourceTitle(r.Title),
			mcp.WithResourceDescription(r.Description), mcp.WithMIMEType(r.MIMEType)), nil)
	}
}

// reading is the session of one resources/read. For mcp-go it has a resource at the very
// URI that is asked for, so that any URI reaches the Caller, who can say what is wrong
// with it.
type reading struct {
	*session
	r   *request
	uri string

	none *NoResourceError // there is nothing
	code int              // by which that is told, in the client's version of the protocol
}

var _ server.SessionWithResources = (*reading)(nil)

func (s *reading) GetSessionResources() map[string]server.ServerResource {
	return map[string]server.ServerResource{s.uri: {Resource: mcp.Resource{URI: s.uri}, Handler: s.read}}
}

func (s *reading) SetSessionResources(map[string]server.ServerResource) {}

func (s *reading) read(ctx context.Context, _ mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	found, err := s.r.conn.s.o.Caller.Read(ctx, s.uri)
	if errors.As(err, &s.none) && mcp.IsModernProtocol(server.RequestProtocolVersion(ctx)) {
		s.code = codeParams
	}
	if err != nil {
		return nil, err
	}
	return []mcp.ResourceContents{mcp.TextResourceContents{URI: s.uri, MIMEType: found.MIMEType, Text: strings.ToValidUTF8(found.Text, "\ufffd")}}, nil
}

// maxURI is the longest URI that an error says back.
const maxURI = 1024

// read serves a resources/read. It takes the place of a call: what is read may have to be
// found out.
func (r *request) read(params, b json.RawMessage) any {
	var p struct {
		URI *string `json:"uri"`
	}
	if json.Unmarshal(params, &p) != nil || p.URI == nil {
		return &rpcError{codeParams, `resources/read needs params with a "uri"`}
	}
	leave, e := r.enter()
	if e != nil {
		return e
	}
	defer leave()
	s := &reading{session: r.conn.sess, r: r, uri: *p.URI, code: codeNoResource}
	answer := r.core(s, b)
	if failed, ok := answer.(mcp.JSONRPCError); ok && s.none != nil {
		failed.Error = mcp.JSONRPCErrorDetails{Code: s.code, Message: s.none.Text}
		if len(s.uri) <= maxURI {
			failed.Error.Data = map[string]string{"uri": s.uri}
		}
		return failed
	}
	return answer
}
