package store

// ScopeSession marks figures that are about a conversation up to the end of a turn.
const ScopeSession = "session"

// Spent is what the turns of a conversation have used so far.
type Spent struct {
	Usage, Cost bool // whether the figures are known since the conversation began

	InputTokens, OutputTokens, CacheReadTokens, CacheWriteTokens, ReasoningTokens int64
	CostUSD                                                                       float64
}

// Add adds the figures of the next turn; first says that the conversation began with it.
func (s *Spent) Add(turn Outcome, first bool) {
	add(&s.Usage, first, turn.UsageScope,
		figure{&s.InputTokens, turn.InputTokens}, figure{&s.OutputTokens, turn.OutputTokens}, figure{&s.CacheReadTokens, turn.CacheReadTokens},
		figure{&s.CacheWriteTokens, turn.CacheWriteTokens}, figure{&s.ReasoningTokens, turn.ReasoningTokens})
	if first || turn.CostScope == ScopeSession && turn.CostUSD != nil {
		s.Cost, s.CostUSD = true, 0
	}
	if turn.CostUSD != nil {
		s.CostUSD += *turn.CostUSD
	}
}

// figure is a sum, and what the turn adds to it; nil if it did not say.
type figure struct{ sum, turn *int64 }

func add(known *bool, first bool, scope string, figures ...figure) {
	for _, f := range figures {
		if first || scope == ScopeSession && f.turn != nil {
			*known, *f.sum = true, 0
		}
		if f.turn != nil {
			*f.sum += *f.turn
		}
	}
}

// Without takes what was used before from figures of the conversation, which leaves those of
// the turn. What is not known, or comes to less than nothing, stays as it is.
func (o *Outcome) Without(before Spent) {
	if o.UsageScope == ScopeSession && before.Usage {
		figures := []figure{{&before.InputTokens, o.InputTokens}, {&before.OutputTokens, o.OutputTokens}, {&before.CacheReadTokens, o.CacheReadTokens},
			{&before.CacheWriteTokens, o.CacheWriteTokens}, {&before.ReasoningTokens, o.ReasoningTokens}}
		less := false
		for _, f := range figures {
			less = less || f.turn != nil && *f.turn < *f.sum
		}
		for _, f := range figures {
			if f.turn != nil && !less {
				*f.turn -= *f.sum
			}
		}
		if !less {
			o.UsageScope = ""
		}
	}
	if o.CostScope == ScopeSession && before.Cost && o.CostUSD != nil && *o.CostUSD >= before.CostUSD {
		left := *o.CostUSD - before.CostUSD
		o.CostUSD, o.CostScope = &left, ""
	}
}

// Use adds what another attempt has used. What nobody knows of either stays unknown.
func (o *Outcome) Use(other Outcome) {
	for _, f := range []struct{ sum, other **int64 }{
		{&o.InputTokens, &other.InputTokens}, {&o.OutputTokens, &other.OutputTokens}, {&o.CacheReadTokens, &other.CacheReadTokens},
		{&o.CacheWriteTokens, &other.CacheWriteTokens}, {&o.ReasoningTokens, &other.ReasoningTokens},
	} {
		if *f.other == nil {
			continue
		}
		n := **f.other
		if *f.sum != nil {
			n += **f.sum
		}
		*f.sum = &n
	}
	if other.CostUSD != nil {
		cost := *other.CostUSD
		if o.CostUSD != nil {
			cost += *o.CostUSD
		}
		o.CostUSD = &cost
	}
}
