// Package upgrade plans how a CLI is brought to another version: it checks what a spec says of
// that, and finds the command for the place where the program lies.
//
// It hides the places, and the slots in the words. It must not look at the machine, nor run
// anything: its callers find the program and run the command.
package upgrade

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog/argvtemplate"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/text"
)

// Plan is how a CLI is brought to another version.
type Plan struct {
	Strategy string   // "self-update", the name of a place of the spec, or the program that does it
	Bin      string   // program to run, as the spec names it; "" for the CLI itself
	Args     []string // without the program
	Note     string   // what a person should know about this kind of installation
}

// SelfUpdate is the strategy of a CLI that fetches its own new versions.
const SelfUpdate = "self-update"

// targetText is a version, or a tag under which versions are published. Neither an
// option nor a path, an address or a range can be written with it.
var targetText = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9_+-]|\.[A-Za-z0-9_+-]){0,63}$`)

// latest is the target that stands for the newest version.
const latest = "latest"

// TargetProblem says what is wrong with the target of an upgrade; "" if nothing.
func TargetProblem(target string) string {
	if targetText.MatchString(target) {
		return ""
	}
	return fmt.Sprintf(`must be %q, a version such as "1.2.3" or a tag such as "beta", not %q`, latest, text.Abbreviate(target))
}

// Ways are the compiled ways to bring a CLI to another version.
type Ways struct {
	spec   lang.UpgradeSpec
	places []*regexp.Regexp // of spec.Where, in its order
}

// Plan plans to bring the program that lies at file, its path without symbolic links
// ("" if it is not installed), to the target, in which TargetProblem finds no problem. The
// problem says why there is no way; title names the CLI in it.
func (w *Ways) Plan(title, file, target string) (up Plan, problem string) {
	steps, slots := lang.PlaceSpec{Latest: w.spec.Latest, Target: w.spec.Target}, map[string]string{"target": target}
	where := ""
	for i, name := range w.spec.Where.Keys() {
		re := w.places[i]
		m := re.FindStringSubmatch(file)
		if file == "" || m == nil {
			continue
		}
		steps, _ = w.spec.Where.Get(name)
		where = name
		for k, group := range re.SubexpNames() {
			if group != "" {
				slots[group] = m[k]
			}
		}
		break
	}
	step := steps.Target
	if target == latest && len(steps.Latest.Argv) > 0 {
		step = steps.Latest
	}
	up = Plan{Strategy: where, Bin: step.Bin, Note: steps.Note}
	if len(step.Argv) == 0 {
		return up, noWay(title, file, where, target, steps)
	}
	switch {
	case step.Bin == "":
		up.Strategy = SelfUpdate
	case where == "":
		up.Strategy = strings.TrimSuffix(path.Base(strings.ReplaceAll(step.Bin, `\`, "/")), ".exe")
	}
	for _, word := range step.Argv {
		body := argvtemplate.Placeholder.ReplaceAllStringFunc(word, func(slot string) string { return slots[strings.Trim(slot, "{}")] })
		if strings.HasPrefix(body, "-") && !strings.HasPrefix(word, "-") { // a folder may be called so
			return up, fmt.Sprintf("%q, from the path %s, would be read as an option", text.Abbreviate(body), file)
		}
		up.Args = append(up.Args, body)
	}
	return up, ""
}

// noWay says why there is no step to a target.
func noWay(title, file, where, target string, steps lang.PlaceSpec) string {
	whose := "the spec of " + title
	if where != "" {
		whose = fmt.Sprintf("%s, for an installation of kind %q (%s),", whose, where, file)
	}
	if len(steps.Latest.Argv) > 0 {
		return fmt.Sprintf("%s knows no way to a given version (%s), only to %s", whose, target, latest)
	}
	return whose + " knows no way to upgrade it"
}

// Compile checks the steps of an upgrade and the places for which there are others, and
// compiles them.
func Compile(spec lang.UpgradeSpec, ps lang.Problems) *Ways {
	w := &Ways{spec: spec}
	checkSteps(lang.PlaceSpec{Latest: spec.Latest, Target: spec.Target}, nil, ps)
	for name, place := range spec.Where.All() {
		at := ps.At("where", name)
		re, err := regexp.Compile(place.Path)
		if err != nil {
			at.At("path").Add("regexp", "%s", strings.TrimPrefix(err.Error(), "regexp: "))
			re = regexp.MustCompile(`$^`)
		}
		w.places = append(w.places, re)
		groups := slices.DeleteFunc(slices.Clone(re.SubexpNames()), func(name string) bool { return name == "" })
		if slices.Contains(groups, "target") {
			at.At("path").Add("slot", "{target} is the target of the upgrade, and no part of a path")
		}
		checkSteps(place, groups, at)
		if len(place.Latest.Argv) == 0 && len(place.Target.Argv) == 0 && place.Note == "" {
			at.Add("upgrade", "has no effect").Hint = "add latest, target or note"
		}
	}
	return w
}

// checkSteps checks the steps for one place; groups are the named parts of its path.
func checkSteps(place lang.PlaceSpec, groups []string, ps lang.Problems) {
	known := append([]string{"target"}, groups...)
	for _, step := range []struct {
		key  string
		spec lang.StepSpec
	}{{latest, place.Latest}, {"target", place.Target}} {
		at := ps.At(step.key)
		if step.spec.Bin != "" {
			argvtemplate.Executable(step.spec.Bin, at.At("bin"))
		}
		reaches := false
		for i, w := range step.spec.Argv {
			word := at.At("argv", i)
			argvtemplate.NoNUL(w, word)
			for _, found := range argvtemplate.Placeholder.FindAllString(w, -1) {
				name := strings.Trim(found, "{}")
				reaches = reaches || name == "target"
				switch {
				case !slices.Contains(known, name):
					hint := text.DidYouMean(name, known)
					if hint == "" {
						hint = "an upgrade knows {" + strings.Join(known, "}, {") + "}"
					}
					word.Add("slot", "unknown slot %s", found).Hint = hint
				case name == "target" && step.key == latest:
					word.Add("slot", "{target} has no value here").Hint = "use target"
				}
			}
			if rest := argvtemplate.Placeholder.ReplaceAllString(w, ""); strings.ContainsAny(rest, "{}") {
				word.Add("slot", "unknown slot in %q", w).Hint = "use {target}"
			}
		}
		if step.key == "target" && len(step.spec.Argv) > 0 && !reaches {
			at.Add("slot", "the target is not used").Hint = "write {target} where it belongs"
		}
	}
}
