package tools

import (
	"cmp"
	"slices"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// The profiles of a listing.
const (
	Full    = "full"
	Compact = "compact" // in few bytes
)

// Profiles are all of them.
var Profiles = []string{Full, Compact}

// Offer is a tool and whether it is listed.
type Offer struct {
	catalog.Tool
	Why string // it is not listed, though it answers; "" if it is
}

// Why tools are not listed.
const (
	notFound   = "its program was not found here"
	notNamed   = "gateway.tools.list does not name it"
	notFull    = "the full profile lists it"
	notCompact = "the other tool does the same with async: true"
)

// Offers are all tools that answer: calls in the order of the specs, the same as jobs,
// and those of the gateway itself. Nothing is run to find out which are to be listed.
func (t *Tools) Offers() []Offer {
	catalog := t.Catalog()
	compact := t.profile(catalog) == Compact
	why := t.unlisted(catalog)
	out := make([]Offer, 0, 2*len(catalog.CLIs)+len(builtins))
	for i, cli := range catalog.CLIs {
		if compact {
			out = append(out, Offer{cli.Brief(), why[i]})
		} else {
			out = append(out, Offer{cli.Describe(), why[i]})
		}
	}
	for i, cli := range catalog.CLIs {
		o := Offer{cli.DescribeAsync(), why[i]}
		if compact && o.Why == "" {
			o.Why = notCompact
		}
		out = append(out, o)
	}
	for _, b := range builtins {
		switch {
		case !compact:
			out = append(out, Offer{Tool: b.listing().Tool})
		case b.listing().Advanced:
			out = append(out, Offer{b.listing().Brief(), notFull})
		default:
			out = append(out, Offer{Tool: b.listing().Brief()})
		}
	}
	return out
}

// List returns the listed tools.
func (t *Tools) List() (listed []catalog.Tool) {
	for _, o := range t.Offers() {
		if o.Why == "" {
			listed = append(listed, o.Tool)
		}
	}
	return listed
}

// Listed returns the CLIs whose tools are listed.
func (t *Tools) Listed() (clis []*catalog.CLI) {
	catalog := t.Catalog()
	for i, why := range t.unlisted(catalog) {
		if why == "" {
			clis = append(clis, catalog.CLIs[i])
		}
	}
	return clis
}

func (t *Tools) profile(catalog *catalog.Catalog) string {
	return cmp.Or(t.Profile, catalog.Settings.Tools.Profile, Full)
}

// unlisted says for each CLI why its tools are not listed; "" if they are. Where none
// would be, the setting for that case says which are, and where that names none that
// there is, all are: a gateway without tools is of no use.
func (t *Tools) unlisted(cat *catalog.Catalog) []string {
	why := make([]string, len(cat.CLIs))
	settings := cat.Settings.Tools
	if settings.List != nil {
		for i, cli := range cat.CLIs {
			if !slices.Contains(settings.List, cli.Name) && !slices.Contains(settings.List, lang.Everything) {
				why[i] = notNamed
			}
		}
		return why
	}
	if found := t.found(cat); slices.Contains(found, true) {
		for i := range why {
			if !found[i] {
				why[i] = notFound
			}
		}
		return why
	}
	usual := func(cli *catalog.CLI) bool { return slices.Contains(settings.Fallback, cli.Name) }
	if !slices.ContainsFunc(cat.CLIs, usual) {
		return why
	}
	for i, cli := range cat.CLIs {
		if !usual(cli) {
			why[i] = notFound
		}
	}
	return why
}

// found says which CLIs are installed.
func (t *Tools) found(catalog *catalog.Catalog) []bool {
	if t.Runner == nil || t.Runner.Host == nil {
		return nil
	}
	bins := make([]string, len(catalog.CLIs))
	for i, cli := range catalog.CLIs {
		bins[i] = cli.Bin
	}
	return t.Runner.Host.Installed(bins)
}
