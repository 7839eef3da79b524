package environment

import (
	"fmt"
	"os"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Account is what a CLI can log in with: one of these is set.
type Account struct {
	Variable string // name of one with a key or a token
	File     string // path of one with a login
}

// Accounts are what a CLI can log in with as far as its spec says how to see that, variables first.
// No file is read; the variables are those that the CLI gets.
func Accounts(spec lang.LoginSpec, variables host.Variables) (list []Account) {
	for _, name := range spec.Env {
		if variables.Value(name) != "" {
			list = append(list, Account{Variable: name})
		}
	}
	for _, file := range spec.Files {
		path := variables.Place(file)
		if info, err := os.Stat(path); path != "" && err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			list = append(list, Account{File: path})
		}
	}
	return list
}

// Listed names accounts, each after the words for its kind.
func Listed(all []Account, variable, file string) string {
	var names []string
	for _, a := range all {
		if a.Variable != "" {
			names = append(names, variable+a.Variable)
		} else {
			names = append(names, file+a.File)
		}
	}
	return strings.Join(names, ", or ")
}

// Payer says who pays for a call of a CLI: the keys that its program said it used, else what there
// is to log in with. Where there are several of these it names all, because the program does not
// say which counts. It is "" where nothing is known.
func Payer(h *host.Host, c *catalog.Catalog, cli *catalog.CLI, keys []string) string {
	if len(keys) > 0 {
		return "key in " + strings.Join(keys, ", ")
	}
	environ, err := h.Environ(OfCLI(c, cli, map[string]string{}, ""))
	if err != nil {
		return ""
	}
	return Listed(Accounts(cli.Login, environ), "key in ", "login in ")
}

// KeyWarnings says that a program used keys of its environment although it is logged in.
func KeyWarnings(h *host.Host, cli *catalog.CLI, keys []string) (warnings []string) {
	if len(keys) == 0 {
		return nil
	}
	variables, err := h.Variables()
	if err != nil {
		return nil
	}
	logins := Accounts(lang.LoginSpec{Files: cli.Login.Files}, variables)
	if len(logins) == 0 {
		return nil
	}
	for _, key := range keys {
		warnings = append(warnings, fmt.Sprintf("%s used the key in %s, which takes precedence over its login (%s); remove it from the environment or from gateway.envFile to use the login", cli.DisplayName(), key, logins[0].File))
	}
	return warnings
}
