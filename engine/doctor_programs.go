package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/ownsettings"
)

// clis runs every CLI instead of using cached answers, which may be wrong.
func (d *doctor) clis(ctx context.Context) (found []Finding) {
	prober := &installed.Prober{Host: d.host}
	looked := []string{}
	for i, s := range prober.States(ctx, d.catalog, d.catalog.CLIs) {
		f := cliFinding(d.catalog.CLIs[i], s)
		if s.Installed {
			f.Text += "; access: " + d.access(d.catalog.CLIs[i])
		}
		found = append(found, f)
		for _, dir := range s.Looked {
			if !slices.Contains(looked, dir) {
				looked = append(looked, dir)
			}
		}
	}
	if len(looked) > 0 {
		found = append(found, Finding{Area: AreaCLIs, Name: "search path", State: FindingOK, Text: "searched for missing programs in " + strings.Join(looked, ", ")})
	}
	return found
}

// access says what calls of a CLI may do, and what its levels can reach.
func (d *doctor) access(cli *catalog.CLI) string {
	facts := strings.Join(cli.LevelFacts(), "; ")
	if !cli.HasLevels() {
		return facts
	}
	level, from := d.catalog.DefaultAccess(cli)
	facts = fmt.Sprintf("%s by default (%s); %s", level, from, facts)
	return strings.Join(append([]string{facts}, (&ownsettings.Reader{Host: d.host}).Overridden(cli, level)...), "; ")
}

func cliFinding(cli *catalog.CLI, s installed.State) Finding {
	f := Finding{Area: AreaCLIs, Name: cli.Name, Title: cli.DisplayName(), State: FindingOK, Fix: s.Hint, Detail: s}
	facts := []string{}
	switch {
	case s.Problem != "":
		f.State = FindingProblem
		facts = append(facts, s.Problem)
		if s.Path != "" {
			facts = append(facts, "path: "+s.Path)
		}
	case !s.Installed:
		f.State = FindingNote
		facts = append(facts, "not installed")
	case s.Version == "":
		facts = append(facts, s.Path, "version unknown, because its spec does not say how to ask for it")
	default:
		facts = append(facts, s.Version+" at "+s.Path)
		if s.Matches != nil {
			facts = append(facts, "answers as its spec expects")
		}
		if len(s.Changes) > 0 {
			facts = append(facts, "uses the parts of its spec for "+strings.Join(s.Changes, ", "))
		}
	}
	if s.Installed {
		switch s.Login {
		case installed.LoginFound:
			facts = append(facts, "login: "+s.LoginBy)
		case installed.LoginNone:
			facts = append(facts, "no sign of a login")
			if f.State == FindingOK {
				f.State = FindingNote
			}
			if f.Fix == "" {
				f.Fix = s.LoginHint
			}
		}
	}
	if s.Unverified != "" {
		facts = append(facts, "unverified spec: "+s.Unverified)
		if f.State == FindingOK {
			f.State = FindingNote
		}
	}
	f.Text = strings.Join(facts, "; ")
	return f
}

// clientDetail describes a client, for programs.
type clientDetail struct {
	Configured bool     `json:"configured"`
	File       string   `json:"file,omitempty"`   // the one that names the gateway
	Looked     []string `json:"looked,omitempty"` // the files that exist
	Add        string   `json:"add"`              // what adds the gateway
}

// maxClientFile is how much of a client's file is read, in bytes.
const maxClientFile = 1 << 20

// clients looks whether the files of MCP clients name the gateway.
func (d *doctor) clients(context.Context) (found []Finding) {
	for name, client := range d.catalog.Clients.All() {
		found = append(found, d.client(name, client))
	}
	return found
}

func (d *doctor) client(name string, client lang.ClientSpec) Finding {
	f := Finding{Area: AreaClients, Name: name, Title: client.Title, State: FindingNote}
	detail := clientDetail{Add: client.Line(d.program)}
	unread, cut := "", false
	for _, file := range client.Files {
		path := d.variables.Place(file)
		text, whole, err := beginning(path)
		switch {
		case os.IsNotExist(err) || path == "":
			continue
		case err != nil:
			unread = err.Error()
			continue
		}
		detail.Looked = append(detail.Looked, path)
		cut = cut || !whole
		switch this, some := names(text, d.program); {
		case this:
			f.Text = "configured in " + path
		case some:
			f.Text = path + " names a gateway, but not the path of this program"
		default:
			continue
		}
		detail.Configured, detail.File = true, path
		f.State, f.Detail = FindingOK, detail
		return f
	}
	switch {
	case len(client.Files) == 0:
		f.Text = "unknown: its spec does not say where it keeps its servers"
	case unread != "":
		f.Text = "unknown: " + unread
	case len(detail.Looked) == 0:
		f.Text = "not configured; none of its files exists"
	case cut:
		f.Text = fmt.Sprintf("not configured in the first MiB of %s", strings.Join(detail.Looked, ", "))
	default:
		f.Text = "not configured in " + strings.Join(detail.Looked, ", ")
	}
	f.Fix = detail.Add
	if client.Config.File != nil {
		f.Fix = lang.ShellWord(d.program) + " init --client " + name + "\nor " + f.Fix
	}
	if client.Note != "" {
		f.Fix += "\n(" + client.Note + ")"
	}
	f.Detail = detail
	return f
}

// beginning reads a file up to the bound; whole reports whether that was all. A pipe or a device,
// which might never answer, is not opened.
func beginning(path string) (text []byte, whole bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false, err
	}
	if !info.Mode().IsRegular() {
		return nil, false, fmt.Errorf("%s is not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer file.Close()
	text, err = io.ReadAll(io.LimitReader(file, maxClientFile+1))
	return text[:min(len(text), maxClientFile)], len(text) <= maxClientFile, err
}

// served matches the name of a gateway near the argument that makes it serve. These files
// may also hold prompts, so that the name alone means little.
var served = sync.OnceValue(func() *regexp.Regexp { // only the doctor pays for it
	return regexp.MustCompile(`(?s)\bgateway\b.{0,400}?["']serve["']|["']serve["'].{0,400}?\bgateway\b`)
})

// names reports whether the settings of a client name this program, and whether they
// name any gateway.
func names(text []byte, program string) (this, some bool) {
	quoted, _ := json.Marshal(program)
	if bytes.Contains(text, []byte(program)) || bytes.Contains(text, quoted[1:len(quoted)-1]) {
		return true, true
	}
	return false, served().Match(text)
}
