package call

import (
	"context"
	"fmt"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/access"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Ceilings knows what calls may have at most because of who makes them.
type Ceilings interface {
	// Ceiling is that of a call of this gateway; the zero value is none. It makes no record
	// where there is none.
	Ceiling(ctx context.Context) (access.Ceiling, error)
}

// Trust knows which directories people have trusted.
type Trust interface {
	// Trusted reports whether the settings and hooks in a directory may count. Roots are
	// the directories that the client works in.
	Trusted(c *catalog.Catalog, dir string, roots []string) bool
}

// grant decides what the call may do.
func (s *Service) grant(ctx context.Context, req *Request) (*lang.Failure, error) {
	place := req.Place
	if place.Dir == "" { // where the directory was given with the request
		place.Dir = req.Dir
	}
	if s.Trust != nil {
		place.Trusted = s.Trust.Trusted(req.Catalog, req.Dir, req.Roots)
	}
	ceiling := access.Ceiling{}
	if s.Ceilings != nil {
		var err error
		if ceiling, err = s.Ceilings.Ceiling(ctx); err != nil {
			return &lang.Failure{Class: lang.ClassRecord, Message: "it cannot be found out what this call may do at most: " + err.Error()}, nil
		}
	}
	granted, wrong := req.Catalog.Access(req.Bound, ceiling)
	if wrong != nil {
		failure := &lang.Failure{Class: lang.ClassUsage, Message: wrong.Error(), Hint: "nothing was run"}
		if most := granted.Above; most.Level != access.None {
			failure.Class, failure.Hint = aboveClass(most, ceiling), lower(req, granted)
		}
		return failure, nil
	}
	if req.noDir != "" && granted.Words != access.Read.String() {
		return misplaced(req.noDir), nil
	}
	if req.noDir != "" {
		granted.Notes = append(granted.Notes, req.noDir+": the call ran in an empty one; pass workingDir to have files read")
	}
	granted.Notes = append(granted.Notes, req.notes...)
	req.Bound = req.Bound.WithAccess(granted, place)
	s.noteOverridden(req, ceiling)
	return nil, nil
}

// noteOverridden says which settings of the user the call overrides, and how it is left with
// them, unless somebody has decided how wide it may be.
func (s *Service) noteOverridden(req *Request, ceiling access.Ceiling) {
	if s.Settings == nil {
		return
	}
	free := req.Catalog.Ceiling(ceiling).Level == access.None && !s.scores(req)
	for _, note := range s.Settings.Overridden(req.Bound.CLI, req.Bound.Access.Words) {
		if free {
			note += fmt.Sprintf("; pass access %q to keep your own settings", access.Own)
		}
		req.Bound.Notes = append(req.Bound.Notes, note)
	}
}

// aboveClass is the class of a failure for what is above a ceiling: one of the job in which the
// gateway runs, or else of the settings, by which somebody has denied it.
func aboveClass(most, nested access.Ceiling) string {
	if most == nested {
		return lang.ClassNested
	}
	return lang.ClassDenied
}

// lower says how a call that is above a ceiling can ask for less. It names no wider way.
func lower(req *Request, granted access.Access) string {
	most := granted.Above.Level
	switch {
	case !req.Bound.CLI.HasLevel(most):
		return fmt.Sprintf("use a CLI that can be held to the level %q; nothing was run", most)
	case granted.Given():
		return fmt.Sprintf("pass access %q, or leave access out; nothing was run", most)
	case granted.Explicit && access.Named(granted.Words) > most:
		return fmt.Sprintf("leave out %s, or pass a value of it that asks for at most %q; nothing was run", strings.TrimPrefix(granted.From, "argument "), most)
	}
	return fmt.Sprintf("leave out MCP servers above the level %q; nothing was run", most)
}
