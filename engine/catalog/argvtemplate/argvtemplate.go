// Package argvtemplate holds what every word of a command line in a spec must keep to: its
// slots, and what no program may be, be given or have set.
//
// It must not know which slots there are, nor what fills them.
package argvtemplate

import (
	"regexp"
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

// Executable refuses programs that run other programs out of their arguments.
func Executable(bin string, ps lang.Problems) {
	base := strings.ToLower(bin[strings.LastIndexAny(bin, `/\`)+1:])
	for _, ext := range []string{".exe", ".com", ".bat", ".cmd"} {
		base = strings.TrimSuffix(base, ext)
	}
	switch {
	case shells[base]:
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
