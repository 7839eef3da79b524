package call

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// Find is the CLI that a request tool calls; cli is nil if no request tool has that name.
// Async says that its callers do not wait.
func Find(c *catalog.Catalog, tool string) (cli *catalog.CLI, async bool) {
	for _, cli := range c.CLIs {
		switch tool {
		case cli.Tool():
			return cli, false
		case cli.AsyncTool():
			return cli, true
		}
	}
	return nil, false
}

// bind finds whose call it is and the CLI of it, and checks its arguments.
func (s *Service) bind(ctx context.Context, req *Request) (*lang.Failure, error) {
	req.Principal = cmp.Or(req.Principal, store.Local)
	if req.Catalog == nil {
		req.Catalog = s.Catalog()
	}
	if req.Bound != nil {
		return nil, nil
	}
	defer req.listen()
	cli, async := Find(req.Catalog, req.Tool)
	if cli == nil {
		return &lang.Failure{Class: lang.ClassUsage, Message: fmt.Sprintf("there is no tool %q", req.Tool), Hint: "`gateway tools` lists the tools"}, nil
	}
	cli = s.Installed(ctx, req.Catalog, cli)
	bound, violations := cli.BindModels(req.Args, req.Catalog.Settings.Injected, session.NewID, s.Models.Current(req.Catalog, cli))
	if violations != nil {
		return &lang.Failure{Class: lang.ClassUsage, Message: Complaint(req.Tool, violations), Hint: "correct the arguments and call again; nothing was run"}, nil
	}
	req.Bound, req.Async = bound, async || bound.Async
	return nil, nil
}

// listen tells who listens that the arguments are bound, if they are.
func (r *Request) listen() {
	if r.OnBound != nil && r.Bound != nil {
		r.OnBound(r)
		r.OnBound = nil
	}
}

// Installed is the CLI as it is in its installed version. Where nothing of its spec
// depends on that, nobody asks for it.
func (s *Service) Installed(ctx context.Context, c *catalog.Catalog, cli *catalog.CLI) *catalog.CLI {
	if !cli.Ranged() {
		return cli
	}
	return cli.At(s.Versions.Version(ctx, c, cli))
}

// Complaint tells all that is wrong with the arguments of a tool.
func Complaint(tool string, v catalog.Violations) string {
	if len(v) == 1 {
		return v.Error()
	}
	return fmt.Sprintf("%d problems with the arguments of %s:\n- %s", len(v), tool, strings.ReplaceAll(v.Error(), "\n", "\n- "))
}

// CLI is the CLI of the call, nil as long as it is not known.
func (r *Request) CLI() *catalog.CLI {
	if r.Bound != nil {
		return r.Bound.CLI
	}
	if r.Catalog == nil {
		return nil
	}
	cli, _ := Find(r.Catalog, r.Tool)
	return cli
}
