// Package argvtemplate holds what every word of a command line in a spec must keep to: its
// slots, what no program may be, be given or have set, and what only asks for help.
//
// It must not know which slots there are, nor what fills them.
package argvtemplate

import (
	"regexp"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Placeholder matches a slot, {NAME}.
var Placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// NoNUL refuses text that no program can be given.
func NoNUL(text string, ps lang.Problems) {
	if strings.ContainsRune(text, 0) {
		ps.Add("nul", "cannot contain a NUL character")
	}
}

// shells would turn words of a command line into a program.
var shells = map[string]bool{
	"sh": true, "bash": true, "dash": true, "zsh": true, "ksh": true, "fish": true, "csh": true, "tcsh": true, "busybox": true,
	"cmd": true, "powershell": true, "pwsh": true, "wscript": true, "cscript": true,
	"env": true, "xargs": true, "sudo": true, "doas": true, "su": true, "nohup": true, "setsid": true, "nice": true, "timeout": true,
}

// absolute paths, also of a home and of Windows: a spec may be vetted elsewhere than
// where it is used.
var absolute = regexp.MustCompile(`^(/|~/|[A-Za-z]:[\\/]|\\\\)`)

// IsShell reports whether a program, by its name or path, runs other programs out of its
// arguments.
func IsShell(bin string) bool {
	base := strings.ToLower(bin[strings.LastIndexAny(bin, `/\`)+1:])
	for _, ext := range []string{".exe", ".com", ".bat", ".cmd"} {
		base = strings.TrimSuffix(base, ext)
	}
	return shells[base]
}

// Executable refuses programs that run other programs out of their arguments.
func Executable(bin string, ps lang.Problems) {
	switch {
	case IsShell(bin):
		ps.Add("shell", "%q runs other programs from its arguments", bin).Hint = "name the program itself"
	case strings.HasPrefix(bin, "-"):
		ps.Add("bin", "%q looks like an option", bin)
	case strings.ContainsAny(bin, `/\`) && !absolute.MatchString(bin):
		ps.Add("bin", "%q is a relative path", bin).Hint = "use the name of the program or its absolute path"
	}
}

// ReservedVariable refuses variables that the gateway keeps for itself.
func ReservedVariable(name string, ps lang.Problems) {
	if strings.HasPrefix(name, ReservedEnv) {
		ps.Add("reserved", "variables named %s* are reserved by the gateway", ReservedEnv).Key = true
	}
}

// ReservedEnv is the prefix of the variables by which gateways recognise their own
// children; a spec cannot set one.
const ReservedEnv = "LLM_GATEWAY_"

// loaderVariables matches variables by which whoever sets them has code of their own run.
var loaderVariables = regexp.MustCompile(`^(PATH|LD_.*|DYLD_.*|IFS|ENV|BASH_ENV|SHELLOPTS|NODE_OPTIONS|NODE_PATH|PYTHON(PATH|STARTUP|HOME)|PERL5?(OPT|LIB)|RUBY(OPT|LIB)|GIT_(SSH|SSH_COMMAND|EXEC_PATH|ASKPASS)|JAVA_TOOL_OPTIONS|.*_PRELOAD)$`)

// LoaderVariable refuses variables by which a caller would have code of their own run.
func LoaderVariable(name string, ps lang.Problems) {
	if loaderVariables.MatchString(name) {
		ps.Add("shell", "%s decides which code the program runs: no caller may set it", name)
	}
}

// helpWords are the options that ask for help.
var helpWords = []string{"--help", "-h", "-help", "--help-all"}

// IsHelpRequest reports whether words make a program print its help and do nothing else:
// subcommands, then an option for help. The word "help" alone could be a prompt, and
// behind another option even "--help" could be its value.
func IsHelpRequest(words []string) bool {
	last := len(words) - 1
	return last >= 0 && slices.Contains(helpWords, words[last]) &&
		!slices.ContainsFunc(words[:last], func(w string) bool { return strings.HasPrefix(w, "-") })
}

// HelpRequest refuses words that do more than ask for help.
func HelpRequest(words []string, ps lang.Problems) {
	if !IsHelpRequest(words) {
		ps.Add("probe", "%q does not ask for help", strings.Join(words, " ")).Hint = "write subcommands, then one of " + strings.Join(helpWords, ", ")
	}
}
