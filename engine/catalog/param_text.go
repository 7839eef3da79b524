package catalog

// bounds says the range of a number in words.
func (p *Param) bounds() string {
	switch {
	case p.Min != nil && p.Max != nil:
		return number(*p.Min) + " to " + number(*p.Max)
	case p.Min != nil:
		return "at least " + number(*p.Min)
	case p.Max != nil:
		return "at most " + number(*p.Max)
	}
	return ""
}
