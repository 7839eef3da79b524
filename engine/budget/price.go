package budget

import (
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// million is how many tokens a price is for.
const million = 1e6

// Tokens are what a call used; nil is not known.
type Tokens struct{ Input, Output, CacheRead, CacheWrite *int64 }

// Cost is what the tokens of a model cost in US dollars, by the prices of its CLI. It is not known
// where there is no price, or where the tokens of input or output are not known. inputCached
// says that the tokens of the cache are part of the input.
func Cost(prices lang.Map[lang.PriceSpec], model string, t Tokens, inputCached bool) (usd float64, known bool) {
	price, ok := priceOf(prices, model)
	if !ok || t.Input == nil || t.Output == nil {
		return 0, false
	}
	input := float64(*t.Input)
	for _, cached := range []struct {
		tokens *int64
		price  *float64
	}{{t.CacheRead, price.CacheRead}, {t.CacheWrite, price.CacheWrite}} {
		if cached.tokens == nil {
			continue
		}
		n, each := float64(*cached.tokens), price.Input
		if cached.price != nil {
			each = *cached.price
		}
		usd += n * each
		if inputCached {
			input -= n
		}
	}
	return (usd + max(0, input)*price.Input + float64(*t.Output)*price.Output) / million, true
}

// priceOf is the price of a model: its own name counts, else the longest pattern that matches.
func priceOf(prices lang.Map[lang.PriceSpec], model string) (price lang.PriceSpec, ok bool) {
	longest := -1
	for pattern, p := range prices.All() {
		if pattern == model {
			return p, true
		}
		if len(pattern) > longest && matches(pattern, model) {
			longest, price, ok = len(pattern), p, true
		}
	}
	return price, ok
}

// matches reports whether a text is that of a pattern, in which * is any text.
func matches(pattern, text string) bool {
	head, rest, wild := strings.Cut(pattern, "*")
	text, ok := strings.CutPrefix(text, head)
	if !ok || !wild {
		return ok && text == ""
	}
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(text, part)
		}
		_, text, ok = strings.Cut(text, part)
		if !ok {
			return false
		}
		rest = after
	}
}
