package mcp

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/llm-cli-gateway/gateway/engine/call"
)

// This file is the only one that imports mcp-go. It takes from it what the protocol
// fixes: the revisions, the shape of every result, of _meta and of input requests. The
// rest of the package uses the types and functions declared here.
//
// mcp-go's server and transports are not used. They bound concurrency at five, lose
// cancellations of waiting calls, let progress overtake or trail its answer, and drop
// calls in flight when stdin ends. Importing them also links a JSON Schema validator
// that compiles its metaschemas at every start: 5 ms, half of all initialization.

// firstModern is the revision that removed the handshake: every request describes itself.
const firstModern = mcp.ProtocolVersion20260728

// toolDefinition is a tool as tools/list shows it.
type toolDefinition = mcp.Tool

// clientState is what a client says of itself, in its handshake or with each request.
type clientState struct {
	info  call.Client
	roots bool // it can be asked for its roots
	forms bool // it can put a question to a person by a form
}

func clientStateOf(info mcp.Implementation, caps mcp.ClientCapabilities) clientState {
	e := caps.Elicitation
	return clientState{
		info:  call.Client{Name: info.Name, Version: info.Version},
		roots: caps.Roots != nil,
		// Clients older than the two modes declare neither of them and mean a form.
		forms: e != nil && (e.Form != nil || e.URL == nil),
	}
}

// envelope is what the _meta of a request says of the request.
type envelope struct {
	modern bool        // it declares firstModern or a later revision
	client clientState // of a modern request
	broken error       // params or _meta are not objects
}

// openEnvelope reads the _meta of a request. The error refuses the request.
func openEnvelope(params json.RawMessage) (envelope, *rpcError) {
	var p struct {
		Meta *mcp.Meta `json:"_meta"`
	}
	if err := decode(params, &p); err != nil {
		return envelope{broken: err}, nil
	}
	version := p.Meta.ProtocolVersion()
	if !mcp.IsModernProtocol(version) {
		return envelope{}, nil
	}
	caps := p.Meta.ClientCapabilities()
	if caps == nil {
		return envelope{}, newError(codeParams, "missing or invalid _meta field "+mcp.MetaKeyClientCapabilities)
	}
	if !mcp.IsValidProtocolVersion(version) {
		e := mcp.UnsupportedProtocolVersionError{Version: version, Supported: mcp.ValidProtocolVersions}.JSONRPCError().Error
		return envelope{}, &rpcError{e.Code, e.Message, e.Data}
	}
	var info mcp.Implementation
	if declared := p.Meta.ClientInfo(); declared != nil {
		info = *declared
	}
	return envelope{modern: true, client: clientStateOf(info, *caps)}, nil
}

// decode decodes params, which may be missing.
func decode(params json.RawMessage, into any) error {
	if len(params) == 0 {
		return nil
	}
	err := json.Unmarshal(params, into)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		name := "params"
		if e.Field != "" {
			name = e.Field[strings.LastIndex(e.Field, ".")+1:]
		}
		return fmt.Errorf("%q has the wrong type: %s", name, e.Value)
	}
	return err
}

// protocol makes results in the name of one server.
type protocol struct {
	server       mcp.Implementation
	instructions string
	resources    []mcp.Resource
	templates    []mcp.ResourceTemplate
}

func newProtocol(o Options) *protocol {
	p := &protocol{server: mcp.Implementation{Name: o.Name, Version: o.Version}, instructions: o.Instructions}
	for _, r := range o.Caller.Resources() {
		if strings.Contains(r.URI, "{") {
			p.templates = append(p.templates, mcp.NewResourceTemplate(r.URI, r.Name, mcp.WithTemplateTitle(r.Title),
				mcp.WithTemplateDescription(r.Description), mcp.WithTemplateMIMEType(r.MIMEType)))
			continue
		}
		p.resources = append(p.resources, mcp.NewResource(r.URI, r.Name, mcp.WithResourceTitle(r.Title),
			mcp.WithResourceDescription(r.Description), mcp.WithMIMEType(r.MIMEType)))
	}
	slices.SortFunc(p.resources, func(a, b mcp.Resource) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(p.templates, func(a, b mcp.ResourceTemplate) int { return strings.Compare(a.Name, b.Name) })
	return p
}

func (p *protocol) hasResources() bool { return len(p.resources)+len(p.templates) > 0 }

func (p *protocol) capabilities() (c mcp.ServerCapabilities) {
	c.Tools = &struct {
		ListChanged bool `json:"listChanged,omitempty"`
	}{true}
	if p.hasResources() {
		c.Resources = &struct {
			Subscribe   bool `json:"subscribe,omitempty"`
			ListChanged bool `json:"listChanged,omitempty"`
		}{}
	}
	return c
}

// initialize is the result of the handshake, and what the client says of itself in it.
func (p *protocol) initialize(params json.RawMessage) (any, clientState, error) {
	var asked mcp.InitializeParams
	if err := decode(params, &asked); err != nil {
		return nil, clientState{}, err
	}
	return &mcp.InitializeResult{
		ProtocolVersion: mcp.NegotiateLegacyVersion(asked.ProtocolVersion),
		Capabilities:    p.capabilities(),
		ServerInfo:      p.server,
		Instructions:    p.instructions,
	}, clientStateOf(asked.ClientInfo, asked.Capabilities), nil
}

func (p *protocol) ping() any { return &mcp.EmptyResult{} }

func (p *protocol) discover() any {
	return p.modern(cacheable(&mcp.DiscoverResult{SupportedVersions: mcp.ValidProtocolVersions,
		Capabilities: p.capabilities(), Instructions: p.instructions}))
}

// listTools is the result of tools/list, listResources and listTemplates those of the
// other two listings. They fit on one page; a cursor skips what comes before it.
func (p *protocol) listTools(e envelope, params json.RawMessage, tools []toolDefinition) (any, error) {
	tools, err := afterCursor(params, tools)
	return p.listing(e, &mcp.ListToolsResult{Tools: tools}), err
}

func (p *protocol) listResources(e envelope, params json.RawMessage) (any, error) {
	resources, err := afterCursor(params, p.resources)
	return p.listing(e, &mcp.ListResourcesResult{Resources: resources}), err
}

func (p *protocol) listTemplates(e envelope, params json.RawMessage) (any, error) {
	templates, err := afterCursor(params, p.templates)
	return p.listing(e, &mcp.ListResourceTemplatesResult{ResourceTemplates: templates}), err
}

// cursorError is a cursor that no listing gave out.
type cursorError struct{ error }

// afterCursor is the part of items, sorted by name, that the cursor in params asks for.
// It is not nil: a list goes out as an array.
func afterCursor[T mcp.Named](params json.RawMessage, items []T) ([]T, error) {
	var page mcp.PaginatedParams
	if err := decode(params, &page); err != nil {
		return nil, err
	}
	after, err := base64.StdEncoding.DecodeString(string(page.Cursor))
	if err != nil {
		return nil, cursorError{err}
	}
	start := 0
	if len(page.Cursor) > 0 {
		start = sort.Search(len(items), func(i int) bool { return items[i].GetName() > string(after) })
	}
	return append([]T{}, items[start:]...), nil
}

// contents is the result of resources/read.
func (p *protocol) contents(e envelope, uri string, c Contents) any {
	return p.listing(e, &mcp.ReadResourceResult{Contents: []mcp.ResourceContents{
		mcp.TextResourceContents{URI: uri, MIMEType: c.MIMEType, Text: strings.ToValidUTF8(c.Text, "\ufffd")}}})
}

// listing adds to a list, or to what was read, what modern clients want to see in it.
func (p *protocol) listing(e envelope, result interface {
	mcp.ResultMetadata
	mcp.CacheHintSetter
}) any {
	if !e.modern {
		return result
	}
	return p.modern(cacheable(result))
}

// cacheable says that a result has to be asked for again each time.
func cacheable[T mcp.CacheHintSetter](result T) T {
	result.SetCacheHints(0, mcp.CacheScopePrivate)
	return result
}

// modern adds to a result what every modern result has.
func (p *protocol) modern(result mcp.ResultMetadata) any {
	if result.GetResultType() == "" {
		result.SetResultType(mcp.ResultTypeComplete)
	}
	result.EnsureResultMeta().SetServerInfo(p.server)
	return result
}

// toolResultHead has the members of a tool's result that the protocol adds to it.
func (p *protocol) toolResultHead(e envelope) any {
	head := &mcp.Result{}
	if e.modern {
		return p.modern(head)
	}
	return head
}

// The keys under which input is asked for, and comes.
const (
	rootsInput    = "roots"
	questionInput = "question"
)

// inputRequest is a request inside the result of another. It always has params: clients
// of the official Go SDK take no request without, though this method needs none.
type inputRequest struct {
	Method mcp.MCPMethod `json:"method"`
	Params any           `json:"params"`
}

// inputRequired is the result of a tools/call of a modern client that has to call again
// with its roots, with the answer to a question, or both.
func (p *protocol) inputRequired(roots bool, q *call.Question) any {
	result := &struct {
		mcp.Result
		Content  []struct{}              `json:"content"`
		Requests map[string]inputRequest `json:"inputRequests"`
		State    string                  `json:"requestState,omitempty"`
	}{Content: []struct{}{}, Requests: map[string]inputRequest{}}
	result.ResultType = mcp.ResultTypeInputRequired
	if roots {
		result.Requests[rootsInput] = inputRequest{mcp.MethodListRoots, mcp.ListRootsParams{}}
	}
	if q != nil {
		result.Requests[questionInput] = inputRequest{mcp.MethodElicitationCreate, elicitation(q.Text, true)}
		result.State = q.State
	}
	return p.modern(result)
}

// input is what a modern client brings when it calls again.
type input struct {
	hasRoots bool        // it answered the request for its roots, readably or not
	roots    *call.Roots // nil if unreadable
	reply    call.Reply  // to the question; empty if there is none
	state    string
}

func readInput(responses, state json.RawMessage) (in input, err error) {
	var r mcp.InputResponses
	if err := decode(responses, &r); err != nil {
		return in, errors.New(`"inputResponses" has the wrong type`)
	}
	if err := decode(state, &in.state); err != nil {
		return in, errors.New(`"requestState" has the wrong type`)
	}
	if answer, ok := r[questionInput]; ok && answer.DecodeFor(mcp.MethodElicitationCreate) == nil && answer.Elicitation != nil {
		// What is no answer leaves the question open: it is asked again.
		in.reply, _ = replyOf(string(answer.Elicitation.Action), answer.Elicitation.Content)
	}
	answer, ok := r[rootsInput]
	in.hasRoots = ok
	if ok && answer.DecodeFor(mcp.MethodListRoots) == nil && answer.Roots != nil {
		roots := rootsIn(*answer.Roots)
		in.roots = &roots
	}
	return in, nil
}

// elicitation is a question as the protocol has it.
func elicitation(text string, modern bool) mcp.ElicitationParams {
	return mcp.ElicitationParams{Message: text, RequestedSchema: form(modern)}
}

// legacyReply reads what a legacy client answered to an elicitation.
func legacyReply(raw json.RawMessage) (call.Reply, error) {
	var answer mcp.ElicitationResponse
	if err := json.Unmarshal(raw, &answer); err != nil {
		return "", fmt.Errorf("the client's answer cannot be read: %w", err)
	}
	return replyOf(string(answer.Action), answer.Content)
}

// legacyRoots reads a legacy client's answer to roots/list.
func legacyRoots(raw json.RawMessage) (call.Roots, error) {
	var list mcp.ListRootsResult
	if err := json.Unmarshal(raw, &list); err != nil {
		return call.Roots{}, err
	}
	return rootsIn(list), nil
}

func rootsIn(list mcp.ListRootsResult) (roots call.Roots) {
	for _, root := range list.Roots {
		if dir, problem := directory(root.URI); problem == "" {
			roots.Dirs = append(roots.Dirs, dir)
		} else {
			roots.Strange = append(roots.Strange, fmt.Sprintf("%q %s", cut(root.URI, shownURI), problem))
		}
	}
	return roots
}

// subscription reads which changes a subscriptions/listen asks for, and is the
// acknowledgement of those of them that are offered.
func (p *protocol) subscription(id, params json.RawMessage) (ack any, toolsChanged bool, err error) {
	var asked mcp.SubscriptionsListenParams
	if err := decode(params, &asked); err != nil {
		return nil, false, err
	}
	offered := mcp.SubscriptionFilter{ToolsListChanged: asked.Notifications.ToolsListChanged}
	return notification(mcp.MethodNotificationSubscriptionsAcknowledged, mcp.NotificationParams{
		Meta:             map[string]any{mcp.MetaKeySubscriptionID: id},
		AdditionalFields: map[string]any{"notifications": offered},
	}), offered.ToolsListChanged, nil
}

// subscriptionEnd is the result of a subscriptions/listen that is over.
func (p *protocol) subscriptionEnd(id json.RawMessage) any {
	result := &mcp.SubscriptionsListenResult{}
	result.EnsureResultMeta().SetSubscriptionID(id)
	return p.modern(result)
}

// toolsChanged says that the listing changed, to the subscription id or, if it is nil,
// to a legacy client.
func toolsChanged(id json.RawMessage) any {
	var params mcp.NotificationParams
	if id != nil {
		params.Meta = map[string]any{mcp.MetaKeySubscriptionID: id}
	}
	return notification(mcp.MethodNotificationToolsListChanged, params)
}

func notification(method string, params mcp.NotificationParams) any {
	return mcp.JSONRPCNotification{JSONRPC: mcp.JSONRPC_VERSION, Notification: mcp.Notification{Method: method, Params: params}}
}

// define turns t into what tools/list shows, and into text to compare.
func define(t Tool) (d toolDefinition, text []byte, err error) {
	d = mcp.Tool{
		Name: t.Name, Title: t.Title, Description: t.Description,
		RawInputSchema: t.InputSchema, RawOutputSchema: t.OutputSchema,
		Annotations: mcp.ToolAnnotation{
			Title:           t.Title,
			ReadOnlyHint:    t.hint(&t.ReadOnly, false),
			DestructiveHint: t.hint(&t.Destructive, true),
			IdempotentHint:  t.hint(&t.Idempotent, false),
			OpenWorldHint:   t.hint(&t.OpenWorld, true),
		},
	}
	if t.Meta != nil {
		d.Meta = mcp.NewMetaFromMap(maps.Clone(t.Meta))
	}
	if err := mcp.ValidateParamHeaderAnnotations(&d); err != nil {
		return d, nil, err
	}
	text, err = json.Marshal(d)
	return d, text, err
}
