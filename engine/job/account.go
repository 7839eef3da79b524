package job

import (
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
)

// account says who pays for a call of a CLI: the keys that its program said it used, else what
// there is to log in with. Where there are several of these it names all, because the program does
// not say which counts.
func (r *Runner) account(cli *catalog.CLI, keys []string) string {
	if len(keys) > 0 {
		return "key in " + strings.Join(keys, ", ")
	}
	environ, err := r.Host.Environ(environment.OfCLI(r.Current(), cli, map[string]string{}, ""))
	if err != nil {
		return ""
	}
	return environment.Listed(environment.Accounts(cli.Login, environ), "key in ", "login in ")
}
