package main

import (
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/spf13/cobra"
)

// version overrides the version that the go command stamps, for a build from an archive
// of the sources: -ldflags "-X main.version=v1.2.3".
var version = ""

// release is the version of this binary, "devel" if it is unknown.
func release() string { return stamp().version }

// buildStamp is what is known of the build of this binary.
type buildStamp struct {
	version string
	commit  string // 12 hexadecimal digits; empty if unknown
	date    string // of the commit, RFC 3339; empty if unknown
	dirty   bool   // the sources differed from the commit
}

// stamp reads what the go command stamped: version and commit of a build in a work tree,
// version alone of `go install MODULE@VERSION`.
var stamp = sync.OnceValue(func() buildStamp {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return stampOf(info, version)
})

func stampOf(info *debug.BuildInfo, version string) buildStamp {
	s := buildStamp{version: version}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			s.commit = setting.Value[:min(len(setting.Value), 12)]
		case "vcs.time":
			s.date = setting.Value
		case "vcs.modified":
			s.dirty = setting.Value == "true"
		}
	}
	stamped := info.Main.Version
	if s.version == "" && stamped != "(devel)" {
		s.version = stamped
	}
	if s.version == "" {
		s.version = "devel"
	}
	if s.commit != "" {
		return s
	}
	// The version of a commit without a tag contains both.
	if m := pseudoVersion().FindStringSubmatch(stamped); m != nil {
		d := m[1]
		s.commit, s.date = m[2], d[:4]+"-"+d[4:6]+"-"+d[6:8]+"T"+d[8:10]+":"+d[10:12]+":"+d[12:]+"Z"
	}
	return s
}

// pseudoVersion matches the version of a commit without a tag.
var pseudoVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[-.](\d{14})-([0-9a-f]{12})$`) })

// String is the version with what else is known, as in
// "v1.2.3 (commit 0123456789ab of 2026-01-02T03:04:05Z, go1.26, linux/amd64)".
func (s buildStamp) String() string {
	var b strings.Builder
	b.WriteString(s.version + " (")
	if s.commit != "" {
		b.WriteString("commit " + s.commit)
		if s.date != "" {
			b.WriteString(" of " + s.date)
		}
		if s.dirty {
			b.WriteString(" with changes")
		}
		b.WriteString(", ")
	}
	fmt.Fprintf(&b, "%s, %s/%s)", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return b.String()
}

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", GroupID: "use", Args: cobra.NoArgs,
		Short: "Print version, commit and date",
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "gateway %s\n", stamp())
			return err
		},
	}
}
