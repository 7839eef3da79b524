package mcp

import (
	"fmt"
	"strings"
)

// Methods of requests and notifications that this package serves or sends.
const (
	methodInitialize = "initialize"
	methodPing       = "ping"
	methodDiscover   = "server/discover"
	methodListen     = "subscriptions/listen"
	methodCall       = "tools/call"
	methodTools      = "tools/list"
	methodResources  = "resources/list"
	methodTemplates  = "resources/templates/list"
	methodRead       = "resources/read"

	methodCancelled    = "notifications/cancelled"
	methodRootsChanged = "notifications/roots/list_changed"
	methodProgress     = "notifications/progress"

	methodRoots  = "roots/list"
	methodElicit = "elicitation/create"
)

// method is what the protocol says of a method.
type method struct {
	legacy  bool   // removed in the revision firstModern
	modern  bool   // exists since the revision firstModern
	feature string // what a server must offer for it; empty if every server does
}

// methods are all requests that a client of any revision can send.
var methods = map[string]method{
	methodInitialize: {legacy: true},
	methodPing:       {legacy: true},
	methodDiscover:   {modern: true},
	methodListen:     {modern: true},
	methodCall:       {},
	methodTools:      {},
	methodResources:  {feature: "resources"},
	methodTemplates:  {feature: "resources"},
	methodRead:       {feature: "resources"},

	"resources/subscribe":   {legacy: true, feature: "resources subscribe"},
	"resources/unsubscribe": {legacy: true, feature: "resources unsubscribe"},
	"logging/setLevel":      {legacy: true, feature: "logging"},
	"prompts/list":          {feature: "prompts"},
	"prompts/get":           {feature: "prompts"},
	"completion/complete":   {feature: "completions"},
	"tasks/get":             {feature: "tasks"},
	"tasks/cancel":          {feature: "tasks"},
	"tasks/list":            {legacy: true, feature: "tasks"},
	"tasks/result":          {legacy: true, feature: "tasks"},
}

// refusal says why a request is not served; nil if it is. Resources are the only feature
// that is offered, if there are any.
func refusal(name string, modern, resources bool) *rpcError {
	m, known := methods[name]
	feature := m.feature
	switch {
	case !known:
		return newError(codeNoMethod, fmt.Sprintf("Method %s not found", name))
	case m.legacy && modern:
		return newError(codeNoMethod, fmt.Sprintf("%q was removed in protocol version %s", name, firstModern))
	case m.modern && !modern:
		return newError(codeNoMethod, fmt.Sprintf("%q requires protocol version %s or later", name, firstModern))
	case feature == "" || feature == "resources" && resources:
		return nil
	case !resources && strings.HasPrefix(feature, "resources"):
		feature = "resources"
	}
	return newError(codeNoMethod, feature+" not supported")
}
