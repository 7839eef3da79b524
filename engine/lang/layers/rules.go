package layers

import "slices"

// rule says of the values at a path, in which * is any key, which locks hold them, and
// what still narrows a value that is held.
type rule struct {
	path  string
	locks []string
	added bool // it holds for what higher layers add as well: the site does not vouch for it
	// narrows reports whether a value of a key allows no more than was, which is nil if the
	// site's layer says nothing there.
	narrows func(l *Locks, key string, was, is Value) bool
}

// rules are all of them, made at their use to keep the start fast.
func rules() []rule {
	return []rule{
		{"gateway.approvals.enforce", []string{"enforce"}, false, ordered("false", "false", "true")},
		{"gateway.approvals.danger", []string{"danger"}, false, ordered("allow", "allow", "deny")},
		{"gateway.approvals.ceiling", []string{"ceiling"}, false, ordered("own", "own", "full", "edit", "read")},
		{"gateway.access.default", []string{"access"}, false, ordered("read", "own", "full", "edit", "read")},
		{"gateway.access.trusted", []string{"trust"}, false, fewer},
		{"gateway.access.trustRoots", []string{"trust"}, false, ordered("false", "true", "false")},
		{"gateway.budget", []string{"budget"}, false, budgets},
		{"gateway.reload", []string{"reload"}, false, ordered("all", "all", "hold", "off")},
		{"gateway.approvals.policy", []string{"policy"}, false, included},
		{"gateway.approvals.strategy", []string{"policy"}, false, ordered("legacy", "legacy", "mcp_managed")},
		{"cli.*.budget", []string{"budget"}, false, budgets},
		// By these a call may come to cost less.
		{"cli.*.models.prices", []string{"budget"}, false, same},
		{"cli.*.output.cost", []string{"budget"}, false, same},
		{"cli.*.output.costScope", []string{"budget"}, false, same},
		{"cli.*.output.usage", []string{"budget"}, false, same},
		{"policy.*.*", []string{"policy"}, false, policies},
		{"risk.*.*", []string{"policy"}, false, risks},
		{"cli.*.risk", []string{"policy"}, false, lists},
		{"cli.*.params.*.danger", []string{"policy", "danger"}, false, marks},
		{"cli.*.access.*", levels, true, access},
		{"cli.*.params.*.safe", levels, true, unmarked},
		{"cli.*.params.*.access", levels, true, same},
		{"cli.*.params.*.split", levels, false, same},
		{"cli.*.*", levels, false, program},
		{"cli.*.params.*.*", levels, false, option},
		{"mcp.*.access", levels, true, ordered("full", "read", "edit", "full")},
	}
}

// levels are the locks that hold what a level of access is, and what asks for it.
var levels = []string{"policy", "ceiling", "access"}

// ordered is for values from the widest to the narrowest; unset is that which counts if there
// is none.
func ordered(unset string, values ...string) func(*Locks, string, Value, Value) bool {
	return func(_ *Locks, _ string, was, is Value) bool {
		before := unset
		if was != nil {
			before = was.Scalar()
		}
		return slices.Index(values, is.Scalar()) >= slices.Index(values, before)
	}
}

// same is for what cannot be compared.
func same(_ *Locks, _ string, was, is Value) bool { return was != nil && was.Equal(is) }

// fewer is for a list whose elements cannot be compared: none are fewer.
func fewer(l *Locks, key string, was, is Value) bool { return is.Null() || same(l, key, was, is) }

// budgets is for what calls may cost: of each bound less is narrower, and so is a call that is
// taken to cost more.
func budgets(_ *Locks, _ string, was, is Value) bool {
	return is.IsObject() && !slices.ContainsFunc(is.Keys(), func(key string) bool {
		before, now := field(was, key), is.Field(key)
		a, bounded := number(before)
		b, given := number(now)
		switch {
		case now.Null():
			return before != nil
		case key == "atLimit":
			return !ordered("ask", "ask", "refuse")(nil, key, before, now)
		case key == "estimateUSD":
			return !given || bounded && b < a
		}
		return !given || bounded && b > a
	})
}

// access is for the fields of what holds a CLI to a level. Without a default of its own that
// of the settings counts, so that only the narrowest is no wider.
func access(l *Locks, key string, was, is Value) bool {
	if key == "default" {
		return ordered("read", "own", "full", "edit", "read")(l, key, was, is)
	}
	return same(l, key, was, is)
}

// unmarked is for what is said to be harmless, of which less is narrower.
func unmarked(l *Locks, key string, was, is Value) bool {
	return is.Scalar() == "false" || same(l, key, was, is)
}

// program is for the fields of a CLI. What is run, and with which words and variables, is what
// a level of access rests on; a field that is not known here may be part of that.
func program(_ *Locks, key string, was, is Value) bool {
	switch key {
	case "title", "doc", "install", "unverified", "models", "timeouts", "onCancel", "concurrency", "budget", "retry", "breaker", "examples",
		"success", "exits", "failure", "login", "probe":
		return true
	case "output": // the program is told to write its file by words and a variable
		file := field(is, "file")
		return file == nil || unchanged(field(was, "file"), file)
	case "params", "risk", "access", "versions": // there are rules for them
		return true
	}
	return unchanged(was, is)
}

// option is for the fields of a parameter, of which the same holds.
func option(_ *Locks, key string, was, is Value) bool {
	switch key {
	case "doc", "enum", "required", "min", "max", "minLength", "maxLength", "maxItems", "pattern", "modes", "since", "until",
		"otherwise", "advanced", "keep", "show":
		return true
	case "danger", "safe", "access", "split": // there are rules for them
		return true
	}
	return unchanged(was, is)
}

// unchanged reports whether what is laid over a value changes nothing of it, apart from the
// lists that are added to.
func unchanged(was, is Value) bool {
	if !is.IsObject() {
		return was != nil && was.Equal(is) || was == nil && is.Null()
	}
	return !slices.ContainsFunc(is.Keys(), func(key string) bool {
		v := is.Field(key)
		added := (key == "drop" || key == "expands") && v.IsList()
		return !added && !unchanged(field(was, key), v)
	})
}

// lists is for lists to which layers add.
func lists(_ *Locks, _ string, _, is Value) bool { return is.IsList() }

// marks is for what is dangerous: all of a parameter, or a list of values.
func marks(_ *Locks, _ string, was, is Value) bool {
	return was == nil || was.Equal(is) || is.Scalar() == "true" || was.Scalar() == "false" || was.IsList() && is.IsList()
}

// included is for a policy in the place of another that includes it.
func included(l *Locks, _ string, was, is Value) bool {
	return was != nil && l.covers(was.Scalar(), is.Scalar())
}

// policies is for the fields of a policy.
func policies(l *Locks, key string, was, is Value) bool {
	switch key {
	case "doc":
		return true
	case "deny":
		return is.IsList()
	case "human":
		return ordered("ask", "ask", "deny")(l, key, was, is)
	case "approve", "ask":
		a, known := number(was)
		b, given := number(is)
		return known && given && b <= a
	}
	return same(l, key, was, is)
}

// risks is for the fields of a rule for all CLIs.
func risks(l *Locks, key string, was, is Value) bool {
	switch key {
	case "reason":
		return true
	case "score":
		a, known := number(was)
		b, given := number(is)
		return known && given && b >= a
	}
	return same(l, key, was, is)
}
