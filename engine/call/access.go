package call

import (
	"context"

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
		class := lang.ClassUsage
		if ceiling.Level != access.None && access.Named(granted.Words) > ceiling.Level {
			class = lang.ClassNested
		}
		if most := req.Catalog.Ceiling(ceiling); most.Level != access.None && access.Named(granted.Words) > most.Level {
			req.rule = most.From
		}
		return &lang.Failure{Class: class, Message: wrong.Error(), Hint: "nothing was run"}, nil
	}
	if req.noDir != "" && granted.Words != access.Read.String() {
		return misplaced(req.noDir), nil
	}
	if req.noDir != "" {
		granted.Notes = append(granted.Notes, req.noDir+": the call ran in an empty one; pass workingDir to have files read")
	}
	granted.Notes = append(granted.Notes, req.notes...)
	req.Bound = req.Bound.WithAccess(granted, place)
	return nil, nil
}
