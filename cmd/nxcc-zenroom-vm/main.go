// Command nxcc-zenroom-vm is nXCC's VM for Zencode and Lua, in the place of nXCC's own:
// it serves vm.Vm to an enclave, over a Unix socket. Scripts run on Zenroom's wasm in a
// deterministic machine, or by Zenroom's own executables.
//
// It needs Zenroom, which it fetches through npm when it is first started.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"carrel/door/nxcc"
)

// exitUsage is how a setting that cannot be ends the command.
const exitUsage = 2

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

// A usageError is of a setting that cannot be.
type usageError struct{ error }

func run(ctx context.Context, args []string, lookup func(string) (string, bool), stdout, stderr io.Writer) int {
	code := 0
	cmd := &cobra.Command{
		Use:   "nxcc-zenroom-vm [flags]",
		Short: "Serve nXCC's VM for Zencode and Lua",
		Long: `Nxcc-zenroom-vm takes the place of nXCC's VM of that name: an enclave starts workers
of Zencode and Lua in it and invokes them, by gRPC without TLS. It is ready when its
socket accepts. SIGTERM and SIGINT end it: invocations that run have 15 seconds.

Each flag can be given in the environment too: --exec-timeout-ms as
NXCC_ZENROOM_VM_EXEC_TIMEOUT_MS, and --server-uds-path as NXCC_VM_SERVER_UDS_PATH, as
the other server flags and --verbose. Flags come before variables.`,
		Example: `  nxcc-zenroom-vm --server-uds-path /tmp/nxcc/zenroom-vmm.sock --verbose
  NXCC_ZENROOM_VM_POSTBACK_ENABLED=true nxcc-zenroom-vm --postback-allowed-host-suffixes example.com`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("%q: there are no arguments, only flags", args[0])}
			}
			return nil
		},
		SilenceUsage: true, SilenceErrors: true,
		Version: version(),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	server := newServer(flags)
	settings := nxcc.NewSettings(flags)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := server.environment(flags, lookup); err != nil {
			return usageError{err}
		}
		if err := settings.Environment(flags, lookup); err != nil {
			return usageError{err}
		}
		return serve(cmd.Context(), server, settings, flags, newLogger(stdout, server.verbose, lookup))
	}
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(stderr, "nxcc-zenroom-vm: %v\n", err)
		if code = 1; isUsage(err) {
			code = exitUsage
		}
	}
	return code
}
