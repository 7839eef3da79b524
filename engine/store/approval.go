package store

import (
	"encoding/json"
	"time"
)

// Approval is a decision about a call. Its JSON is that of the journal.
type Approval struct {
	ID            string          `json:"id"`                  // from NewID
	Principal     string          `json:"principal,omitempty"` // whose call it is about
	Time          time.Time       `json:"time"`
	Tool          string          `json:"tool"`
	CLI           string          `json:"cli"`
	Strategy      string          `json:"strategy"`
	Policy        string          `json:"policy,omitempty"`
	Verdict       string          `json:"verdict"`          // "approved" or "denied"
	By            string          `json:"by"`               // who decided
	Answer        string          `json:"answer,omitempty"` // of the person who was asked, or why there is none
	Score         int64           `json:"score"`
	Reasons       json.RawMessage `json:"reasons,omitempty"` // a list
	Note          string          `json:"note,omitempty"`
	CatalogDigest string          `json:"catalog"`
	CorrelationID string          `json:"correlationId,omitempty"`
	ClientName    string          `json:"client,omitempty"`
	ClientVersion string          `json:"clientVersion,omitempty"`
}
