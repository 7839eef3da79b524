package load

import "github.com/llm-cli-gateway/gateway/engine/lang/layers"

// join lays two things that one layer says beside each other. They must agree: a
// layer has no order in which one could win.
func join(a, b *node, path []string, r *report) *node {
	switch {
	case a.kind == bad:
		b.hazy = b.hazy || b.kind == object
		return b
	case b.kind == bad:
		a.hazy = a.hazy || a.kind == object
		return a
	case a.kind == object && b.kind == object:
		a.hazy = a.hazy || b.hazy
		for _, k := range b.keys {
			v := b.fields[k]
			if old := a.fields[k]; old != nil {
				v = join(old, v, append(path[:len(path):len(path)], k), r)
			}
			a.set(k, v)
		}
		return a
	case a.equal(b):
		return a
	}
	text := "conflicting values " + a.show() + " and " + b.show()
	if a.kind == list && b.kind == list {
		text = "conflicting lists"
	}
	r.add(b.at, path, "conflict", "%s", text).Hint = "the other is at " + where(a.at)
	a.kind = bad
	return a
}

// over lays a higher layer over a lower one, field by field: null deletes, lists
// replace or are added to, what is new comes after what was there.
func over(base, patch *node, path []string, r *report) *node {
	if base != nil && base.kind == list && patch.kind == list && layers.Adds(path) {
		return base.add(patch, path, r)
	}
	if base == nil || base.kind != object || patch.kind != object {
		if patch.kind == object {
			return over(newObject(patch.at, patch.key), patch, path, r)
		}
		return patch
	}
	base.hazy = base.hazy || patch.hazy
	for _, k := range patch.keys {
		v, old := patch.fields[k], base.fields[k]
		at := append(path[:len(path):len(path)], k)
		if v.kind != null {
			base.set(k, over(old, v, at, r))
			continue
		}
		if old == nil && !base.hazy {
			r.warn(v.key, at, "nothing-deleted", "null deletes nothing: no lower layer has %q", k).Hint = didYouMean(k, base.keys)
			continue
		}
		base.drop(k)
		if base.gone == nil {
			base.gone = map[string]pos{}
		}
		base.gone[k] = v.at
	}
	return base
}
