package lang

// Bounds are the least and the greatest length of a prompt, in characters.
func (p PromptSpec) Bounds() (least, most int) {
	least, most = 1, 100_000
	if p.Min != nil {
		least = *p.Min
	}
	if p.Max != nil {
		most = *p.Max
	}
	return least, most
}
