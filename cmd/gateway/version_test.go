package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestStamp(t *testing.T) {
	vcs := []debug.BuildSetting{
		{Key: "vcs.revision", Value: "3900b5004d5b961c504e79fbf751494ba18e8314"},
		{Key: "vcs.time", Value: "2026-01-02T03:04:05Z"},
		{Key: "vcs.modified", Value: "true"},
	}
	where := ", " + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	for name, c := range map[string]struct {
		main, version string
		settings      []debug.BuildSetting
		want          string
	}{
		"nothing known":     {"(devel)", "", nil, "devel (" + where[2:]},
		"no stamp":          {"", "", nil, "devel (" + where[2:]},
		"a tag":             {"v1.2.3", "", vcs[:2], "v1.2.3 (commit 3900b5004d5b of 2026-01-02T03:04:05Z" + where},
		"changes":           {"v1.2.3+dirty", "", vcs, "v1.2.3+dirty (commit 3900b5004d5b of 2026-01-02T03:04:05Z with changes" + where},
		"installed":         {"v1.2.3", "", nil, "v1.2.3 (" + where[2:]},
		"installed, no tag": {"v0.0.0-20260102030405-3900b5004d5b", "", nil, "v0.0.0-20260102030405-3900b5004d5b (commit 3900b5004d5b of 2026-01-02T03:04:05Z" + where},
		"after a tag":       {"v1.2.4-0.20260102030405-3900b5004d5b", "", nil, "v1.2.4-0.20260102030405-3900b5004d5b (commit 3900b5004d5b of 2026-01-02T03:04:05Z" + where},
		"set by hand":       {"(devel)", "v9", vcs[:1], "v9 (commit 3900b5004d5b" + where},
	} {
		info := &debug.BuildInfo{Settings: c.settings}
		info.Main.Version = c.main
		if got := stampOf(info, c.version).String(); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}
