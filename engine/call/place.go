package call

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/policy"
	"github.com/llm-cli-gateway/gateway/engine/promptpaths"
	"github.com/llm-cli-gateway/gateway/engine/trust"
)

// place finds the working directory: the parameter, else the client's only root,
// else our own, unless that is the root of the file system, where clients start us
// when they do not care. The roots come with it where they matter.
func (s *Service) place(ctx context.Context, req *Request) (*lang.Failure, error) {
	if req.Dir != "" {
		return nil, nil
	}
	strange := "" // roots that are not understood
	if req.ListRoots != nil && (req.Bound.Dir == "" || promptpaths.Mentions(req.Bound) || s.scores(req)) {
		if req.RootsNextRound {
			return nil, &InputRequired{Roots: true}
		}
		roots, err := req.ListRoots(ctx)
		if err != nil && req.Bound.Dir == "" {
			return misplaced("the client did not tell its root directories: " + err.Error()), nil
		}
		req.Roots = slices.Compact(slices.Sorted(slices.Values(roots.Dirs)))
		strange = strings.Join(roots.Strange, ", ")
	}
	if strange != "" && req.Bound.Dir == "" {
		if len(req.Roots) == 0 { // it has a directory, and not ours
			return misplaced("the client's root is not understood: " + strange), nil
		}
		req.notes = append(req.notes, "a root of the client is left out, because it is not understood: "+strange)
	}
	dir, problem := directory(req.Bound.Dir, req.Roots)
	if problem != "" {
		if req.Bound.Dir != "" || len(req.Roots) > 0 || s.Empty == nil {
			return misplaced(problem), nil
		}
		empty, err := s.Empty()
		if err != nil {
			return misplaced(problem + "; and an empty one cannot be made: " + err.Error()), nil
		}
		dir, req.noDir = empty, problem
	}
	// Judged is what is used: a link could be changed in between.
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return misplaced("the working directory cannot be used: " + err.Error()), nil
	}
	req.Dir = real
	req.Place = catalog.Place{Dir: real, Outside: req.noDir == "" && (len(req.Roots) == 0 && strange != "" || outside(real, req.Roots)), Broad: broad(real)}
	return nil, nil
}

// scores reports whether it matters for the decision about the call in which directories
// the client works.
func (s *Service) scores(req *Request) bool {
	return policy.Managing(req.Catalog.Settings.Approvals, req.Bound.Strategy, req.Bound.Policy)
}

// outside reports whether a directory is in none of the client's roots, or, where there is
// none, not in the directory in which the gateway was started.
func outside(dir string, roots []string) bool {
	if len(roots) == 0 {
		own, err := os.Getwd()
		if err != nil || isRoot(own) {
			return true
		}
		roots = []string{own}
	}
	return !trust.Below(dir, roots)
}

// broad reports whether a directory is the root of a file system, or a home: nobody works
// on all that is below it.
func broad(dir string) bool {
	if isRoot(dir) {
		return true
	}
	home, err := os.UserHomeDir()
	if real, wrong := filepath.EvalSymlinks(home); wrong == nil {
		home = real
	}
	return err == nil && trust.Below(home, []string{dir})
}

func misplaced(problem string) *lang.Failure {
	return &lang.Failure{Class: lang.ClassUsage, Message: problem, Hint: "pass workingDir: an absolute path of an existing directory"}
}

// directory is the working directory of a call, or what is wrong with it.
func directory(asked string, roots []string) (dir, problem string) {
	switch {
	case asked != "":
		return asked, unusable("workingDir", asked)
	case len(roots) == 1:
		return roots[0], unusable("the client's root", roots[0])
	case len(roots) > 1:
		return "", "the client has several root directories (" + strings.Join(roots, ", ") + "), and workingDir does not say which"
	}
	own, err := os.Getwd()
	switch {
	case err != nil:
		return "", "the gateway's own working directory is gone: " + err.Error()
	case isRoot(own):
		return "", "there is no working directory: the client has no root, and the gateway was started in " + own
	}
	return own, ""
}

func isRoot(dir string) bool { return strings.Trim(dir, `/\`) == "" || strings.HasSuffix(dir, `:\`) }

// unusable says what is wrong with a directory; "" if nothing.
func unusable(name, dir string) string {
	if !filepath.IsAbs(dir) {
		return fmt.Sprintf("%s %q is not an absolute path", name, dir)
	}
	info, err := os.Stat(dir)
	switch {
	case os.IsNotExist(err):
		return fmt.Sprintf("%s %s does not exist", name, dir)
	case err != nil:
		return fmt.Sprintf("%s cannot be used: %s", name, err)
	case !info.IsDir():
		return fmt.Sprintf("%s %s is not a directory", name, dir)
	}
	return ""
}
