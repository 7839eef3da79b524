package call

import (
	"encoding/json"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
)

// Request is one call on its way. Whoever makes it fills in the first part; the steps of
// the handler fill in the second, and leave alone what is there already.
type Request struct {
	Principal string          // whose call it is; "": the user of this machine
	Tool      string          // name of a request tool; "" for that of Bound
	Args      json.RawMessage // a JSON object, as the caller sent it
	Client    Client
	Interaction
	Inline int       // characters of the answer in its result where the call does not say; 0: the default
	Until  time.Time // by then its caller wants a result; zero: whenever there is one

	OnBound func(*Request) // called once, when the arguments are bound; nil: nobody listens

	Catalog  *catalog.Catalog // the call keeps it to its end, whatever is loaded meanwhile
	Bound    *catalog.Call    // the arguments, checked and bound to the parameters of the CLI
	Async    bool             // the caller does not wait for the answer
	Dir      string           // absolute working directory, without symbolic links
	Place    catalog.Place    // what is known of it
	Roots    []string         // further folders that the client works in
	Approval *Approval        // what was decided about the call; nil: nobody was to decide
	Asked    *Asked           // a person has to decide about it; nil: nobody has
	Instead  []Alternative    // calls that are made if this one fails, in this order

	noDir string   // why it has no working directory of its own
	notes []string // about where it runs
}

// Asked is a question to a person. The job of its call waits for the answer.
type Asked struct {
	Question string
	Recorded string        // what the record keeps of it
	For      time.Duration // for so long at most
}

// within is d, or how long it is until the caller wants a result, whichever is less. It is
// never 0 for a d that is not: 0 is no limit.
func (r *Request) within(d time.Duration) time.Duration {
	if r.Until.IsZero() || d <= 0 {
		return d
	}
	return max(time.Millisecond, min(d, time.Until(r.Until)))
}

// Client is who asked, as it introduced itself. It is not verified.
type Client struct{ Name, Version string }
