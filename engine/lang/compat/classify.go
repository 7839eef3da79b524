package compat

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/policy"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// find is a CLI that is known to be there.
func find(c *catalog.Catalog, name string) *catalog.CLI {
	cli, _ := c.CLI(name)
	return cli
}

func reflectValue(v any) reflect.Value { return reflect.ValueOf(v) }

// enterCLI looks at the tool as clients see it, of the newest version.
func enterCLI(s scope, name string) scope {
	s.was, s.is = find(s.old, name).At(""), find(s.new, name).At("")
	s.offered()
	return s
}

func newCLI(s scope, is any) {
	cli := is.(lang.CLISpec)
	s.widening("callers can run another program: %q", cli.Bin)
	for name, p := range cli.Params.All() {
		if !p.Danger.IsZero() {
			s.at("params", name, "danger").widening("callers can let it act without asking")
		}
	}
}

func goneCLI(s scope, _ any) {
	name := s.path[len(s.path)-1]
	s.breaking("there is no tool %s_request any more", name)
}

// ranges compares the CLI as it is in each range of versions that either spec tells
// apart, and reports what does not hold for the newest as well.
func (s scope) ranges() {
	known := map[string]bool{}
	for _, c := range s.changes {
		known[string(c.Kind)+c.tail(s.path)+c.Text] = true
	}
	before := len(s.changes)
	name := s.path[len(s.path)-1]
	was, is := find(s.old, name), find(s.new, name)
	for _, side := range []struct {
		cli *catalog.CLI
		old bool
	}{{is, false}, {was, true}} {
		for _, v := range side.cli.Variants() {
			version := "0"
			if v.Versions.Since.Known() {
				version = v.Versions.Since.String()
			}
			in := &differ{old: s.old, new: s.new}
			at := scope{differ: in, path: s.path, was: was.At(version), is: is.At(version)}
			at.offered()
			a, b := at.was.CLISpec, at.is.CLISpec
			a.Versions, b.Versions, a.Examples, b.Examples = lang.Map[json.RawMessage]{}, lang.Map[json.RawMessage]{}, nil, nil
			in.walk("cli.*", at, reflectValue(a), reflectValue(b))
			for _, c := range in.changes {
				key := string(c.Kind) + c.tail(s.path) + c.Text
				if known[key] {
					continue
				}
				known[key] = true
				c.Path = slices.Concat(s.path, []string{"versions", v.Key}, c.Path[len(s.path):])
				c.Gone = c.Gone || side.old && !hasRange(is, v.Key)
				s.changes = append(s.changes, c)
			}
		}
	}
	if len(s.changes) == before && !reflect.DeepEqual(was.Versions, is.Versions) {
		s.at("versions").note("has changed")
	}
}

func hasRange(c *catalog.CLI, key string) bool { _, ok := c.Versions.Get(key); return ok }

// tail is the path below another.
func (c Change) tail(path []string) string {
	if len(c.Path) < len(path) || !slices.Equal(c.Path[:len(path)], path) {
		return "\x00" + strings.Join(c.Path, ".")
	}
	return strings.Join(c.Path[len(path):], ".")
}

// worded is for words of a command line: whatever is not a slot may give a permission, and
// what was removed may have restricted one.
func worded(of string) func(s scope, was, is any) {
	return func(s scope, was, is any) { s.line(of, was.([]string), is.([]string)) }
}

// ifAny is worded for a mode, which is gone where there are no words.
func ifAny(of string) func(s scope, was, is any) {
	return func(s scope, was, is any) {
		if len(is.([]string)) > 0 {
			s.line(of, was.([]string), is.([]string))
		}
	}
}

// handed compares the servers of calls that name none: a CLI that says nothing about them
// gets those of the gateway.
func handed(s scope, was, is any) {
	of := func(own []string, c *catalog.Catalog) []string {
		if own == nil {
			return c.Settings.MCPServers
		}
		return own
	}
	if !s.is.MCP.IsZero() {
		s.members(of(was.([]string), s.old), of(is.([]string), s.new), Widening, serverCame, Note, serverWent)
	}
}

// ifServers classifies where the CLI takes MCP servers at all.
func ifServers(classify func(s scope, was, is any)) func(s scope, was, is any) {
	return func(s scope, was, is any) {
		if !s.is.MCP.IsZero() {
			classify(s, was, is)
		}
	}
}

func (s scope) line(of string, was, is []string) {
	if slices.Equal(literalWords(was), literalWords(is)) {
		return
	}
	var came, went []string
	rest := slices.Clone(was)
	for _, w := range literalWords(is) {
		if i := slices.Index(rest, w); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
		} else {
			came = append(came, w)
		}
	}
	went = append(went, literalWords(rest)...)
	switch {
	case came == nil && went == nil:
		s.widening("the words for %s have another order: %s", of, inShell(is))
	case went == nil:
		s.widening("the words for %s have %s in addition", of, inShell(came))
	case came == nil:
		s.widening("the words for %s lack %s, which they had", of, inShell(went))
	default:
		s.widening("the words for %s have %s in the place of %s", of, inShell(came), inShell(went))
	}
}

// literalWords are the words that are no slots.
func literalWords(list []string) (out []string) {
	for _, w := range list {
		if !strings.HasPrefix(w, "{") || !strings.HasSuffix(w, "}") {
			out = append(out, w)
		}
	}
	return out
}

func inShell(list []string) string {
	quoted := make([]string, len(list))
	for i, w := range list {
		quoted[i] = lang.ShellWord(w)
	}
	return text.Shorten(strings.Join(quoted, " "), 200)
}

func commandLines(s scope, was, is any) {
	a, b := was.(lang.ArgvSpec), is.(lang.ArgvSpec)
	whole := func(v lang.ArgvSpec) bool { return v.Resume == nil && v.Latest == nil }
	if whole(a) && whole(b) {
		s.line("a call", a.New, b.New)
		return
	}
	each := func(v lang.ArgvSpec) [][]string { // a mode without a list has that of new
		out := [][]string{v.New, v.Resume, v.Latest}
		for i := range out {
			if out[i] == nil {
				out[i] = v.New
			}
		}
		return out
	}
	for i, mode := range []lang.Mode{lang.New, lang.Resume, lang.Latest} {
		in := s
		if !whole(b) {
			in = s.at(string(mode))
		}
		in.line("a "+mode.Adjective()+" conversation", each(a)[i], each(b)[i])
	}
}

func wordedValues(s scope, was, is any) {
	a, b := was.(map[string][]string), is.(map[string][]string)
	for _, key := range slices.Sorted(maps.Keys(b)) {
		if old, ok := a[key]; ok {
			s.at(key).line(fmt.Sprintf("%q", key), old, b[key])
		} else if len(b[key]) > 0 {
			s.at(key).widening("callers can have it given the words %s", inShell(b[key]))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(a)) {
		if _, ok := b[key]; !ok {
			s.lost(key).note("is gone")
		}
	}
}

// conditioned: a parameter that is not passed any more may have been a restriction.
func conditioned(s scope, was, is any) {
	kind := Note
	if s.to.Default != nil || !s.to.Danger.IsZero() {
		kind = Widening
	}
	s.say(kind, "is passed where %s, and was where %s", quoted(is), quoted(was))
}

func carried(s scope, was, is any) {
	if is == "arg" {
		s.widening("other users of the machine can see the prompt in the list of processes")
	}
}

func droppedInstead(s scope, was, is any) {
	switch {
	case is == "drop":
		s.widening("in other versions it is left out, where the call was refused")
	case was == "drop":
		s.breaking("in other versions the call is refused, where it was left out")
	}
}

// reading compares how an output is read, field by field. What the program is told of its file
// are words of its command line, and a variable.
func reading(s scope, was, is any) {
	a, b := was.(lang.OutputSpec), is.(lang.OutputSpec)
	before, after := a.File, b.File
	if !slices.Equal(before.Words, after.Words) {
		s.at("file", "words").line("its file", before.Words, after.Words)
	}
	if before.Env != after.Env && after.Env != "" {
		s.at("file", "env").widening("the variable %s is set for it", after.Env)
	}
	for i := range reflectValue(a).NumField() {
		x, y := reflectValue(a).Field(i), reflectValue(b).Field(i)
		if !reflect.DeepEqual(x.Interface(), y.Interface()) {
			s.at(jsonName(reflectValue(a).Type().Field(i))).note("%s", became(x, y))
		}
	}
}

// limiting compares what holds in the end: a CLI that sets no limit has that of the
// gateway.
func limiting(s scope, was, is any) {
	a, b := was.(lang.Timeouts), is.(lang.Timeouts)
	general := func(own, other *int64) int64 {
		switch {
		case own != nil:
			return *own
		case other != nil && s.was != nil:
			return *other
		}
		return 0
	}
	old, new := s.old.Settings.Timeouts, s.new.Settings.Timeouts
	for _, limit := range []struct {
		key, what string
		was, is   int64
	}{
		{"idleMs", "without output", general(a.IdleMs, old.IdleMs), general(b.IdleMs, new.IdleMs)},
		{"wallMs", "in all", general(a.WallMs, old.WallMs), general(b.WallMs, new.WallMs)},
	} {
		at := s.at(limit.key)
		switch {
		case limit.was == limit.is:
		case limit.is == 0:
			at.widening("no run is ended by this limit any more; it was %s ms %s", text.Number(float64(limit.was)), limit.what)
		case limit.was != 0 && limit.is > limit.was:
			at.widening("a run may take %s ms %s, and not %s", text.Number(float64(limit.is)), limit.what, text.Number(float64(limit.was)))
		default:
			at.note("a run is ended after %s ms %s", text.Number(float64(limit.is)), limit.what)
		}
	}
	if x, y := reflectValue(a.GraceMs), reflectValue(b.GraceMs); !reflect.DeepEqual(a.GraceMs, b.GraceMs) {
		s.at("graceMs").note("%s", became(x, y))
	}
}

// scoring compares rules by their ids, or by their conditions where they have none. Of
// several with one id the first is compared with the first.
func scoring(s scope, was, is any) {
	id := func(r lang.RiskSpec) string {
		if r.ID != "" {
			return r.ID
		}
		return r.When
	}
	rest := was.([]lang.RiskSpec)
	taken := make([]bool, len(rest))
	for i, b := range is.([]lang.RiskSpec) {
		at := s.at(fmt.Sprint(i))
		j := -1
		for k, a := range rest {
			if !taken[k] && id(a) == id(b) {
				j = k
				break
			}
		}
		if j < 0 {
			at.note("a new rule scores %d", b.Score)
			continue
		}
		taken[j] = true
		a := rest[j]
		if a.When != b.When {
			at.at("when").widening("holds where %s, and held where %s", quoted(b.When), quoted(a.When))
		}
		if a.Score != b.Score {
			scored(at.at("score"), a.Score, b.Score)
		}
		if a.Reason != b.Reason {
			at.at("reason").note("%s", became(reflectValue(a.Reason), reflectValue(b.Reason)))
		}
	}
	for k, a := range rest {
		if !taken[k] {
			s.lost(fmt.Sprint(k)).widening("no rule %s scores this any more; it was %d", quoted(id(a)), a.Score)
		}
	}
}

func scored(s scope, was, is any) {
	if is.(int) < was.(int) {
		s.widening("scores %d, and scored %d", is, was)
	} else {
		s.note("scores %d, and scored %d", is, was)
	}
}

// policing compares what a policy lets pass, whatever it says to that end.
func policing(s scope, was, is any) {
	a, b := policy.Policy{PolicySpec: was.(lang.PolicySpec)}, policy.Policy{PolicySpec: is.(lang.PolicySpec)}
	if b.Approve > a.Approve {
		s.at("approve").widening("approves up to %d, and did up to %d", b.Approve, a.Approve)
	}
	if b.Limit() > a.Limit() && b.Limit() > b.Approve {
		key := "ask"
		if a.Human != b.Human {
			key = "human"
		}
		s.at(key).widening("a person may approve up to %d; the most was %d", b.Limit(), a.Limit())
	}
	s.at("deny").members(a.Deny, b.Deny, Note, "rule %s denies", Widening, "rule %s does not deny any more")
	x, y := reflectValue(was), reflectValue(is)
	for i := range x.NumField() {
		at := s.at(jsonName(x.Type().Field(i)))
		if p, q := x.Field(i), y.Field(i); !reflect.DeepEqual(p.Interface(), q.Interface()) && !at.said() {
			at.note("%s", became(p, q))
		}
	}
}

// newPolicy is wide if no other lets as much pass.
func newPolicy(s scope, is any) {
	p := policy.Policy{PolicySpec: is.(lang.PolicySpec)}
	wide := true
	for _, old := range s.old.Approval.Policies {
		wide = wide && (p.Approve > old.Approve || p.Limit() > old.Limit())
	}
	if wide {
		s.widening("callers can choose a policy that is wider than all there were")
	} else {
		s.note("is a new policy")
	}
}

func newServer(s scope, is any) {
	server := is.(lang.ServerSpec)
	s.widening("calls can have another MCP server run: %q", server.Command)
	if server.Trust {
		s.at("trust").widening("its tools run without asking")
	}
}

// tells is for a field that was added or removed, and cannot be classified.
func tells(what string) func(s scope, v any) { return func(s scope, _ any) { s.widening("%s", what) } }

func unrecorded(s scope, was, is any) {
	if is == "none" {
		s.widening("calls are not recorded any more")
	}
}

func unmanaged(s scope, was, is any) {
	if was == policy.Managed {
		s.widening("calls that do not ask for a policy run as they are, where one decided")
	}
}

func undenied(s scope, was, is any) {
	if was == "deny" {
		s.widening("dangerous parameters are allowed in calls that no policy decides")
	}
}

// defaultPolicy compares two policies by what each lets pass.
func defaultPolicy(s scope, was, is any) {
	a, known := s.old.Approval.Policy(was.(string))
	b, found := s.new.Approval.Policy(is.(string))
	switch {
	case !known || !found:
		s.widening("calls that name no policy are decided by %s, and not by %s", quoted(is), quoted(was))
	case b.Approve > a.Approve || b.Limit() > a.Limit() || slices.ContainsFunc(a.Deny, func(id string) bool { return !slices.Contains(b.Deny, id) }):
		s.widening("calls that name no policy are decided by %s, which lets more pass than %s", quoted(is), quoted(was))
	}
}

// eager: changes of the specs need less of a person's consent than they did.
func eager(s scope, was, is any) {
	consent := []string{lang.ReloadAll, lang.ReloadHold, lang.ReloadOff}
	rank := func(v any) int { return max(0, slices.Index(consent, fmt.Sprint(v))) }
	if rank(is) < rank(was) {
		s.widening("changes of the specs take effect by themselves that waited for a person")
	}
}
