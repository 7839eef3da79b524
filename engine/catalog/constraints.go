package catalog

import (
	"fmt"
	"slices"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// mode finds out which conversation the call belongs to: a given id beats the newest
// one, and both give way to an explicit new start. What gives way is noted.
func (b *binder) mode(newID func() string) {
	id, _ := b.call.values[ParamSessionID].(string)
	continued, _ := b.call.values[ParamContinueSession].(bool)
	latest, _ := b.call.values[ParamResumeLatest].(bool)
	fresh, _ := b.call.values[ParamCreateNewSession].(bool)
	creates := b.cli.Creates()
	call := b.call
	note := func(format string, args ...any) { call.Notes = append(call.Notes, fmt.Sprintf(format, args...)) }
	call.Mode, call.SessionID = lang.New, id
	call.SessionChoice = SessionChoice{ID: id, Continue: continued, Latest: latest, New: fresh}
	call.own = OwnID(id) && !fresh && !b.cli.AcceptsID(id)
	switch {
	case fresh && id != "" && !creates:
		call.SessionID = ""
		note("this is a new conversation, and its id is not %q: %s chooses the ids of new ones itself", text.Abbreviate(id), b.cli.DisplayName())
	case id != "" && !call.own && !b.cli.AcceptsID(id):
		if !fresh {
			call.Mode = lang.Resume
		}
		b.add(ParamSessionID, "not an id of %s (%s)", b.cli.DisplayName(), b.cli.id)
	case fresh && (continued || latest):
		note("this is a new conversation: %s beats %s", ParamCreateNewSession, pick(continued, ParamContinueSession, ParamResumeLatest))
	case fresh:
	case id != "":
		call.Mode = lang.Resume
	case (continued || latest) && b.cli.FindsLatest():
		call.Mode = lang.Latest
	case continued || latest:
		// Only the record of sessions knows better.
		note("this is a new conversation: none is known that could go on")
	}
	if call.Mode == lang.New && call.SessionID == "" && creates {
		call.SessionID, call.generated = newID(), true
	}
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// on reports whether the call asks for a parameter: by an argument, not by one that
// writes nothing.
func (b *binder) on(name string) bool {
	if !b.call.given[name] { // most are not
		return false
	}
	v, bound := b.call.values[name]
	return !bound || b.cli.byName[name].Writes(v)
}

// checkConstraints checks what parameters ask of each other and of the mode. An argument
// that does not apply is an error, never dropped; a default gives way instead.
func (b *binder) checkConstraints() {
	b.versions()
	for again := true; again; {
		again = false
		for _, p := range b.cli.params {
			if v, ok := b.call.values[p.Name]; ok && !b.call.given[p.Name] && p.Writes(v) && !b.fits(p) {
				delete(b.call.values, p.Name)
				again = true
			}
		}
	}
	reported := map[string]bool{}
	for _, p := range b.cli.params {
		if !b.on(p.Name) {
			continue
		}
		for _, other := range p.Conflicts {
			if b.on(other) && !reported[other+" "+p.Name] {
				reported[p.Name+" "+other] = true
				b.add(p.Name, "cannot be combined with %s", other)
			}
		}
		for _, other := range p.Requires {
			if !b.has(other) {
				b.add(p.Name, "needs %s as well", other)
			}
		}
		if !p.Applies(b.call.Mode) {
			b.add(p.Name, "does not apply %s", inMode[b.call.Mode])
		}
	}
}

// versions refuses arguments that the installed version does not know, or leaves them
// out where the spec says so, with a note.
func (b *binder) versions() {
	for _, p := range b.cli.params {
		if !b.on(p.Name) || p.versions.Has(b.cli.installed) {
			continue
		}
		text := p.versions.Misses(b.cli.DisplayName(), b.cli.installed)
		if p.Otherwise != "drop" {
			b.add(p.Name, "%s", text)
			continue
		}
		delete(b.call.values, p.Name)
		delete(b.call.given, p.Name)
		b.call.Notes = append(b.call.Notes, p.Name+" was left out: it "+text)
	}
}

// has reports whether a parameter has a value that writes something, be it a default.
func (b *binder) has(name string) bool {
	v, ok := b.call.values[name]
	return b.on(name) || ok && b.cli.byName[name].Writes(v)
}

// fits reports whether the call permits the default of a parameter.
func (b *binder) fits(p *Param) bool {
	for _, other := range b.cli.params {
		if b.on(other.Name) && (slices.Contains(p.Conflicts, other.Name) || slices.Contains(other.Conflicts, p.Name)) {
			return false
		}
	}
	return p.Applies(b.call.Mode) && p.versions.Has(b.cli.installed) && !slices.ContainsFunc(p.Requires, func(name string) bool { return !b.has(name) })
}

var inMode = map[lang.Mode]string{
	lang.New:    "to a new conversation",
	lang.Resume: "when a conversation is continued (" + ParamSessionID + ")",
	lang.Latest: "when the newest conversation is continued",
}

// finish moves the engine's parameters into fields and resolves the model.
func (b *binder) finish(newID func() string) {
	call, take := b.call, func(name string) any {
		v := b.call.values[name]
		if p, ok := b.cli.byName[name]; ok && p.role != "" {
			delete(b.call.values, name)
		}
		return v
	}
	call.CorrelationID, _ = take(ParamCorrelationID).(string)
	if call.CorrelationID == "" {
		call.CorrelationID = newID()
	}
	call.Dir, _ = take(ParamWorkingDir).(string)
	if idle, ok := take(ParamIdleTimeout).(int); ok {
		call.Idle = time.Duration(idle) * time.Millisecond
	}
	if wall, ok := take(ParamTimeout).(int); ok {
		call.Wall = time.Duration(wall) * time.Millisecond
	}
	call.Async, _ = take(ParamAsync).(bool)
	call.MaxChars, _ = take(ParamMaxChars).(int)
	call.Force, _ = take(ParamForceRefresh).(bool)
	call.granted, _ = take(ParamAccess).(string)
	call.Strategy, _ = take(ParamApprovalStrategy).(string)
	call.Policy, _ = take(ParamApprovalPolicy).(string)
	for _, name := range []string{ParamSessionID, ParamContinueSession, ParamResumeLatest, ParamCreateNewSession} {
		take(name)
	}
	take(ParamOptimizePrompt)
	call.optimizesAnswer, _ = take(ParamOptimizeResponse).(bool)
	call.Show = "answer"
	call.show()
	b.model()
}

// defaultModel is bound before parameters are held against each other: a default gives
// way where it does not fit.
func (b *binder) defaultModel() {
	if !b.cli.TakesModel() || b.given[ParamModel] {
		return
	}
	delete(b.values, ParamModel)
	if b.models.Default != nil {
		b.values[ParamModel] = b.models.Default.Name
	}
}

// model follows aliases until a name that is none; an unknown name passes.
func (b *binder) model() {
	call := b.call
	name, _ := call.values[ParamModel].(string)
	if _, ok := b.cli.byName[ParamModel]; !ok {
		return
	}
	from := "no model is named"
	switch {
	case call.given[ParamModel]:
		from = "argument " + ParamModel
	case name != "" && call.kept.Params[ParamModel] == name:
		from = "the first turn of the session"
	case name != "":
		from = b.models.Default.From
	}
	if name != "" || b.models.Own.Name != "" {
		call.Model, call.steps = follow(b.models, name, from)
	}
	delete(call.values, ParamModel)
	if call.Model != "" {
		call.values[ParamModel] = call.Model
	}
}
