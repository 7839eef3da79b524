package store

import "time"

// Costs are what counts against a budget, in US dollars: of the calls of a CLI that were made since
// a time, of any principal.
type Costs struct {
	CLI   string // "": of all
	Since time.Time

	Spent     float64 // by calls that have ended
	Estimated float64 // the part of it that nobody has told
	Reserved  float64 // for calls that have not
}

// Fit says whether a job may begin.
type Fit struct {
	Sums []Costs // CLI and Since of what is looked at
	// Check is given them with what counts, in the transaction that makes the row. It must be
	// pure; if it returns an error, no row is made.
	Check func(sums []Costs) error
}

// Settled reports whether nothing stays reserved for a job that ended like this in an attempt: its
// cost is known, or it never ran.
func (o *Outcome) Settled(attempt int) bool {
	return o.CostUSD != nil && o.CostScope == "" || o.Ending == EndStartFailed && attempt <= 1
}

// Charged is what an attempt that ended like this has cost, in US dollars; nil if that is not known.
func (o *Outcome) Charged() *float64 {
	switch {
	case !o.Settled(1):
		return nil
	case o.CostUSD == nil || o.CostScope != "":
		return new(float64)
	}
	return o.CostUSD
}
