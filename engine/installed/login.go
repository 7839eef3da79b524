package installed

import (
	"os"

	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Signs of a login. That there is none means little where a system keeps logins in a
// place of its own.
const (
	LoginFound   = "found"
	LoginNone    = "none"
	LoginUnknown = "unknown" // the spec does not say how to see it
)

// login looks for a sign of a login. It reads no file and shows no value; environ is
// what the CLI would get.
func login(spec lang.LoginSpec, environ []string) (state, by string) {
	if len(spec.Env) == 0 && len(spec.Files) == 0 {
		return LoginUnknown, ""
	}
	variables := host.Variables(environ)
	for _, name := range spec.Env {
		if variables.Value(name) != "" {
			return LoginFound, "variable " + name
		}
	}
	for _, file := range spec.Files {
		path := variables.Place(file)
		if info, err := os.Stat(path); path != "" && err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			return LoginFound, "file " + path
		}
	}
	return LoginNone, ""
}
