package installed

import (
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Signs of a login. That there is none means little where a system keeps logins in a
// place of its own.
const (
	LoginFound   = "found"
	LoginNone    = "none"
	LoginUnknown = "unknown" // the spec does not say how to see it
)

// login looks for signs of a login: of several it is not known which one the program uses, and
// whose account pays. It reads no file and shows no value; environ is what the CLI would get.
func login(spec lang.LoginSpec, environ []string) (state, by string) {
	if len(spec.Env) == 0 && len(spec.Files) == 0 {
		return LoginUnknown, ""
	}
	if by = environment.Listed(environment.Accounts(spec, environ), "variable ", "file "); by == "" {
		return LoginNone, ""
	}
	return LoginFound, by
}
