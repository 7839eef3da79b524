package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// memoryTarget makes the collector work harder above it: answers of tens of megabytes
// come one after the other, and each is garbage when the next begins.
const memoryTarget = 72 << 20

func (a *app) serve() *cobra.Command {
	var linger time.Duration
	cmd := &cobra.Command{
		Use: "serve", GroupID: "use", Args: cobra.NoArgs,
		Short: "Serve an MCP client over standard input and output",
		Long: `Serve an MCP client over standard input and output. Clients start this command
themselves; 'gateway init --client NAME' adds it to their settings.

Logs go to standard error. Changes of specs take effect while the server runs; SIGHUP
applies them at once, including those that wait for a person (gateway.reload). When the
client closes its end, or on SIGTERM, calls in progress continue as jobs, on which any
other gateway and 'gateway jobs' can report.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.open(cmd)
			if err != nil {
				return err
			}
			defer e.Close()
			// A client that closes its end would end us by a signal, before the calls
			// in flight are canceled.
			signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
			// Elsewhere it ends the program.
			signal.Reset(syscall.SIGHUP)
			hangups := make(chan os.Signal, 1)
			signal.Notify(hangups, syscall.SIGHUP)
			go func() {
				for range hangups {
					e.Accept()
				}
			}()
			if os.Getenv("GOGC") == "" {
				debug.SetGCPercent(longLivedGC)
			}
			if os.Getenv("GOMEMLIMIT") == "" {
				debug.SetMemoryLimit(memoryTarget)
			}
			err = e.Serve(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), linger)
			if errors.Is(err, context.Canceled) {
				return nil
			}
			if err != nil {
				return fail(err)
			}
			return nil
		},
	}
	a.listing(cmd)
	cmd.Flags().DurationVar(&linger, "linger", 200*time.Millisecond, "wait up to `TIME` for calls in progress when the client closes its end")
	return cmd
}
