package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/diagnostic"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/supervisor"
	"github.com/llm-cli-gateway/gateway/specs"
)

// States of a finding.
const (
	FindingOK      = "ok"
	FindingNote    = "note" // worth knowing; nothing is wrong
	FindingProblem = "problem"
)

// Areas of findings, in the order in which they are printed.
const (
	AreaGateway     = "gateway"
	AreaSpecs       = "specs"
	AreaSettings    = "settings"
	AreaDatabases   = "databases"
	AreaPermissions = "permissions"
	AreaJobs        = "jobs"
	AreaBudgets     = "budgets"
	AreaSessions    = "sessions"
	AreaCLIs        = "clis"
	AreaServers     = "mcp"
	AreaClients     = "clients"
)

// Finding is the result of one check of the doctor.
type Finding struct {
	Area  string `json:"area"`
	Name  string `json:"name"`            // within the area, of a CLI or a client that of its spec
	Title string `json:"title,omitempty"` // the name for people, where it is another
	State string `json:"state"`
	Text  string `json:"text"`
	Fix   string `json:"fix,omitempty"` // what to do about it
	// Detail is for programs, beside the text: of a CLI what cli_versions
	// returns, of a database and of a client's file what was found.
	Detail any `json:"detail,omitempty"`
}

const (
	// doctorLimit bounds what is asked of other programs, which have less than that each.
	doctorLimit = 6 * time.Second
	// doctorTimeout is how long an area may take that does not answer, as on a file
	// system that hangs.
	doctorTimeout = doctorLimit + time.Second
)

// Doctor checks everything that a gateway with these options would use, and the clients
// that use the gateway. The program is its absolute path, or where it will lie once the
// command build was run ("" if it lies there). It never fails: what
// cannot be looked at is a finding. If the specs cannot be used it takes the
// built-in ones. It makes no files, apart from temporary ones, and shows no value of a
// variable.
func Doctor(ctx context.Context, o Options, program, build string) []Finding {
	layers, diags := layers(o.Specs)
	loaded := finish(ctx, layers, diags, load.Options{Environ: o.Environ, Snapshot: specs.Snapshot()})
	d := &doctor{options: o, program: program, build: build, layers: layers, loaded: loaded}
	d.catalog = loaded.Catalog
	// The variables count also when a file is wrong; if they are what is wrong, they
	// are ignored.
	for _, environ := range [][]string{o.Environ, nil} {
		if d.catalog == nil {
			d.catalog = finish(ctx, layers[:1], nil, load.Options{Environ: environ, Snapshot: specs.Snapshot()}).Catalog
		}
	}
	ctx, cancel := context.WithTimeout(ctx, doctorLimit)
	defer cancel()
	d.engine = &Engine{options: o}
	d.engine.assemble(d.catalog)
	d.host = d.engine.Tools.Runner.Host
	if d.variables, d.envFile = d.host.Variables(); d.envFile != nil {
		// No CLI can be called then; the other checks do not need the environment.
		d.host = host.New(o.Environ, d.catalog.Settings.Path, "")
		d.variables, _ = d.host.Variables()
	}
	return d.all(ctx, []area{
		{AreaGateway, d.gateway}, {AreaSpecs, d.specs}, {AreaSettings, d.settings}, {AreaDatabases, d.databases},
		{AreaPermissions, d.permissions}, {AreaJobs, d.jobs}, {AreaBudgets, d.budgets}, {AreaSessions, d.sessions},
		{AreaCLIs, d.clis}, {AreaServers, d.servers}, {AreaClients, d.clients},
	})
}

// doctor is one examination.
type doctor struct {
	options   Options
	program   string
	build     string       // command that makes the program, "" if it is there
	layers    []load.Layer // the lowest is the built-in one
	loaded    load.Result
	catalog   *catalog.Catalog // the one loaded, or the built-in one
	engine    *Engine          // of that catalog
	host      *host.Host
	variables host.Variables
	envFile   error // what is wrong with the environment file
}

type area struct {
	name string
	look func(context.Context) []Finding
}

// all checks all areas concurrently and returns their findings in order.
func (d *doctor) all(ctx context.Context, areas []area) (all []Finding) {
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), doctorTimeout)
	defer cancel()
	seen := make([]chan []Finding, len(areas))
	for i, a := range areas {
		seen[i] = make(chan []Finding, 1)
		go func() { seen[i] <- a.look(ctx) }()
	}
	for i, a := range areas {
		select {
		case found := <-seen[i]:
			all = append(all, found...)
			continue
		case <-patience.Done():
		}
		select { // it may have been ready as well
		case found := <-seen[i]:
			all = append(all, found...)
		default:
			all = append(all, Finding{Area: a.name, Name: a.name, State: FindingProblem,
				Text: fmt.Sprintf("the check did not finish within %s", doctorTimeout), Fix: "check whether a file system hangs"})
		}
	}
	return all
}

func (d *doctor) gateway(context.Context) []Finding {
	f := Finding{Area: AreaGateway, Name: "program", State: FindingOK,
		Text: fmt.Sprintf("%s, version %s (%s, %s/%s)", d.program, d.options.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)}
	if d.build != "" {
		f.State, f.Fix = FindingNote, "build a permanent program: "+d.build
		f.Text = fmt.Sprintf("version %s (%s, %s/%s), a temporary program of `go run`", d.options.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	}
	return []Finding{f}
}

func (d *doctor) specs(context.Context) (found []Finding) {
	add := func(name, state, text, fix string) {
		found = append(found, Finding{Area: AreaSpecs, Name: name, State: state, Text: text, Fix: fix})
	}
	read := map[string]int{}
	for _, l := range d.layers {
		read[l.Name] = len(l.Files)
	}
	add("built-in", FindingOK, count(read["built-in"], "file"), "")
	for _, optional := range []struct{ name, dir string }{{"site", SiteDir}, {"user", UserDir()}} {
		text := optional.dir + ": does not exist"
		if n, ok := read[optional.name]; ok {
			text = optional.dir + ": " + count(n, "file")
		}
		add(optional.name, FindingOK, text, "")
	}
	for _, dir := range d.options.Specs {
		add("--specs", FindingOK, dir+": "+count(read[dir], "file"), "")
	}
	for _, diag := range d.loaded.Diagnostics {
		state := FindingProblem
		if diag.Severity == diagnostic.Warning {
			state = FindingNote
		}
		name := "problem"
		if diag.Code == load.CodeHeld {
			name = "site lock"
		}
		add(name, state, diag.String(), "")
	}
	if d.loaded.Catalog == nil {
		add("catalog", FindingProblem, "no gateway starts with these specs; the checks below use the built-in ones", "correct the specs; `gateway vet` checks them")
		return found
	}
	if names := d.loaded.Catalog.Settings.Locked; len(names) > 0 {
		add("locked", FindingOK, "the site locks "+strings.Join(names, ", "), "")
	}
	add("catalog", FindingOK, fmt.Sprintf("%s, %s, digest %s", count(len(d.catalog.CLIs), "CLI"), count(len(d.catalog.Approval.Policies), "policy"), d.catalog.Digest()), "")
	return found
}

// settings lists the variables that have an effect, and never their values.
func (d *doctor) settings(context.Context) (found []Finding) {
	for _, v := range load.Variables {
		if !v.Counts(d.options.Environ) {
			continue
		}
		f := Finding{Area: AreaSettings, Name: v.Name, State: FindingOK, Text: "sets " + v.Key}
		if slices.ContainsFunc(d.loaded.Diagnostics, v.Held) {
			f.State, f.Text, f.Fix = FindingNote, "is ignored: it widens "+v.Key+", which the site locked", "unset it"
		}
		found = append(found, f)
	}
	f := Finding{Area: AreaSettings, Name: "envFile", State: FindingOK}
	switch path := d.catalog.Settings.EnvFile; {
	case d.envFile != nil:
		f.State, f.Text, f.Fix = FindingProblem, d.envFile.Error(), "until this is solved, no CLI can be called: correct the file, or remove gateway.envFile"
	case path != "":
		f.Text = path + " is usable"
	default:
		f.Text = "not set; the CLIs only get variables of the gateway"
	}
	return append(found, f)
}

// permissions checks files that nobody else should see or write. If all are correct
// there is one finding for all.
func (d *doctor) permissions(context.Context) (found []Finding) {
	root := StateDir()
	for _, p := range []struct {
		path      string
		forbidden fs.FileMode // to others
		mend      string
	}{
		{root, 0o077, "chmod 700"}, {filepath.Join(root, "jobs"), 0o077, "chmod 700"}, {filepath.Join(root, "run"), 0o077, "chmod 700"},
		{filepath.Join(root, "pools"), 0o077, "chmod 700"}, {filepath.Join(root, "approvals.jsonl"), 0o077, "chmod 600"},
		{UserDir(), 0o022, "chmod go-w"},        // specs name programs to run
		{trustList().File, 0o022, "chmod go-w"}, // else it trusts nothing
	} {
		info, err := os.Stat(p.path)
		f := Finding{Area: AreaPermissions, Name: filepath.Base(p.path), State: FindingProblem}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			f.Text, f.Fix = err.Error(), "make it readable for this user"
		case p.path == root && !info.IsDir():
			f.Text, f.Fix = root+" is not a folder", "move it away"
		case host.Exposed(info, p.forbidden) == "":
			continue
		default:
			f.Text = p.path + ": " + host.Exposed(info, p.forbidden)
			f.Fix = p.mend + " " + lang.ShellWord(p.path)
			if host.Exposed(info, 0) != "" { // the mode is not all
				f.Fix = "change its owner to this user, or run the gateway as its owner"
			}
		}
		found = append(found, f)
	}
	if len(found) > 0 {
		return found
	}
	text := root + ": accessible only to this user"
	if _, err := os.Stat(root); err != nil {
		text = root + ": does not exist yet; the first call creates it"
	}
	return []Finding{{Area: AreaPermissions, Name: filepath.Base(root), State: FindingOK, Text: text}}
}

// jobs says what happens to jobs when the gateway ends.
func (d *doctor) jobs(context.Context) []Finding {
	f := Finding{Area: AreaJobs, Name: "supervisors", State: FindingOK, Text: "jobs outlive the gateway"}
	switch {
	case !supervisor.Supported():
		f.State, f.Text = FindingNote, "this system does not support them: a job ends with its gateway"
	case d.engine.Volatile():
		f.State, f.Text, f.Fix = FindingNote, "jobs are kept in memory only: they end with their gateway and cannot be found afterwards",
			"set gateway.jobs.db (LLM_GATEWAY_JOBS_DB) to a database"
	}
	return []Finding{f}
}

func count(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "y"):
		what = strings.TrimSuffix(what, "y") + "ie"
	}
	return fmt.Sprintf("%d %ss", n, what)
}
