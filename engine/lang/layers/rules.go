package layers

import "slices"

// rule says of the values at a path, in which * is any key, which locks hold them, and
// what still narrows a value that is held.
type rule struct {
	path  string
	locks []string
	// narrows reports whether a value of a key allows no more than was, which is nil if the
	// site's layer says nothing there.
	narrows func(l *Locks, key string, was, is Value) bool
}

// rules are all of them, made at their use to keep the start fast. A rule for a setting that
// the schema does not have holds nothing.
func rules() []rule {
	return []rule{
		{"gateway.approvals.enforce", []string{"enforce"}, ordered("false", "false", "true")},
		{"gateway.approvals.danger", []string{"danger"}, ordered("allow", "allow", "deny")},
		{"gateway.approvals.ceiling", []string{"ceiling"}, ordered("own", "own", "full", "edit", "read")},
		{"gateway.access.default", []string{"access"}, ordered("read", "own", "full", "edit", "read")},
		{"gateway.budget", []string{"budget"}, same},
		{"gateway.reload", []string{"reload"}, ordered("all", "all", "hold", "off")},
		{"gateway.approvals.policy", []string{"policy"}, included},
		{"gateway.approvals.strategy", []string{"policy"}, ordered("legacy", "legacy", "mcp_managed")},
		{"policy.*.*", []string{"policy"}, policies},
		{"risk.*.*", []string{"policy"}, risks},
		{"cli.*.risk", []string{"policy"}, lists},
		{"cli.*.params.*.danger", []string{"policy", "danger"}, marks},
		{"cli.*.access", []string{"policy", "ceiling", "access"}, untouched},
	}
}

// Setting is the path of the setting that a name locks, "" if there is no such name.
func Setting(name string) string {
	all := rules()
	i := slices.IndexFunc(all, func(r rule) bool { return slices.Equal(r.locks, []string{name}) })
	if i < 0 {
		return ""
	}
	return all[i].path
}

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

// untouched is for what nothing may be laid over.
func untouched(l *Locks, key string, was, is Value) bool { return was == nil || same(l, key, was, is) }

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
