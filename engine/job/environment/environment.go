// Package environment says in what the program of a call runs: its variables, its MCP servers,
// and its limits.
//
// It hides whether the call, its CLI or the gateway decides each of them. It must not know what
// a job is.
package environment

import (
	"maps"
	"slices"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/process"
)

// OfCall is the filter for a call: what the gateway passes to every CLI, what
// the CLI's spec adds, what its MCP servers need, and what the command sets. PWD is set
// because programs believe it, and ours names another directory.
func OfCall(c *catalog.Catalog, call *catalog.Call, command catalog.Command, dir string) host.Filter {
	filter := OfCLI(c, call.CLI, command.Env, dir)
	filter.Pass = append(filter.Pass, call.Servers().Variables()...)
	filter.Drop = append(filter.Drop, command.Drop...)
	return filter
}

// OfCLI is the filter for other programs that are run for a CLI, with additional
// variables.
func OfCLI(c *catalog.Catalog, cli *catalog.CLI, set map[string]string, dir string) host.Filter {
	general, own := c.Settings.Env, cli.Env
	set = maps.Clone(set)
	set["PWD"] = dir
	return host.Filter{
		Pass: slices.Concat(general.Pass, own.Pass),
		Drop: append(append([]string{process.CookieName}, general.Drop...), own.Drop...),
		Set:  set,
		Bin:  cli.Bin,
	}
}

// Limits are the bounds of a run: the call's, else the CLI's, else the gateway's. A
// timeout of 0 means never, a grace of 0 no grace.
func Limits(c *catalog.Catalog, call *catalog.Call) process.Limits {
	own, general := call.CLI.Timeouts, c.Settings.Timeouts
	grace := first(0, own.GraceMs, general.GraceMs)
	if grace == 0 && (own.GraceMs != nil || general.GraceMs != nil) {
		grace = time.Nanosecond // 0 would be the default
	}
	return process.Limits{
		Output: c.Settings.OutputCap,
		Idle:   first(call.Idle, own.IdleMs, general.IdleMs),
		Wall:   first(call.Wall, own.WallMs, general.WallMs),
		Grace:  grace,
	}
}

// first is what was asked for, else the first value that is set, in milliseconds.
func first(asked time.Duration, values ...*int64) time.Duration {
	for _, ms := range values {
		if asked == 0 && ms != nil {
			return time.Duration(*ms) * time.Millisecond
		}
	}
	return asked
}
