package host

// MaxTOMLDepth is how deep a TOML file may nest: its parser calls itself for each level.
const MaxTOMLDepth = 200

// NestingDepth is how deep brackets nest, at most: those in texts count as well.
func NestingDepth(data []byte) (deepest int) {
	open := 0
	for _, c := range data {
		switch c {
		case '[', '{':
			open++
			deepest = max(deepest, open)
		case ']', '}':
			open = max(open-1, 0)
		}
	}
	return deepest
}
