package job

import (
	"errors"
	"maps"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/job/written"
	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// written opens the file that the program of a job wrote beside what it printed, out of its
// private folder or of those of the program; nil if its spec names none.
func (r *Runner) written(row store.Job, bound *catalog.Call, folder string, exit process.Exit) func(session string) (extract.File, error) {
	spec := bound.CLI.Output.File
	run := written.Run{Folder: folder, Began: exit.Started}
	if run.Began.IsZero() {
		run.Began = row.Created
	}
	if spec.Path == "" {
		return written.Opener(spec, run)
	}
	return func(session string) (extract.File, error) {
		set := maps.Collect(bound.CLI.Env.Set.All())
		variables, err := r.Host.Environ(environment.OfCLI(r.Current(), bound.CLI, set, row.Cwd))
		if err != nil {
			return extract.File{}, errors.New("cannot be found: " + err.Error())
		}
		run.Variables = variables
		file, err := written.Opener(spec, run)(session)
		if err != nil && row.State == store.Done { // what was in it then is on record
			return extract.File{}, nil
		}
		return file, err
	}
}
