package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// run is the whole of carrel: it does what args say and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(stderr, "carrel: internal error, which is a bug of carrel: %v\n%s", p, debug.Stack())
			code = exitError
		}
	}()
	boundMemory()
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	code, message := exitCode(err)
	if message != "" {
		fmt.Fprintf(stderr, "carrel: %s\n", plainLines(message))
		if usage := (*usageError)(nil); isUsage(err, &usage) {
			fmt.Fprintf(stderr, "See %q.\n", command.CommandPath()+" --help")
		}
	}
	return code
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "carrel",
		Short: "Run code you do not trust, and get a result that anyone can check",
		Long: `Carrel runs WebAssembly programs sealed in: no clock, no network, no disk and no
chance but what you hand in. The same inputs give the same bytes and the same
fuel on every machine and every engine. A receipt says what ran and what came
out; verify proves it by running it again.`,
		Example: `  carrel run hello.wasm                          run a program
  carrel run --dir . --receipt r.json wc.wasm a.txt
  carrel verify r.json                           run it again and compare
  carrel inspect wc.wasm                         what it asks for, what it costs`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          chooseCommand,
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(versionCommand())
	root.AddCommand(runCommand())
	root.AddCommand(replCommand())
	root.AddCommand(verifyCommand())
	root.AddCommand(receiptCommand())
	root.AddCommand(keysCommand())
	root.AddCommand(inspectCommand())
	root.AddCommand(imageCommand())
	root.AddCommand(toolCommands()...)
	root.AddCommand(cmakeCommand())
	root.AddCommand(bundleCommand(), lockdownCommand(), supervisorCommand())
	root.AddCommand(zencodeCommand())
	root.AddCommand(guestCommand())
	root.AddCommand(backgroundCommand())
	root.AddCommand(cacheCommand())
	return root
}

// chooseCommand is what a command does that only has others below it.
func chooseCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	cmd.SuggestionsMinimumDistance = 2 // letters that may be wrong
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return usagef("there is no command %q; do you mean %s?", args[0], strings.Join(near, " or "))
	}
	return usagef("there is no command %q", args[0])
}

// exits is the part of a command's help that lists its exit codes: rows of a
// code, two spaces, and what it means.
func exits(rows ...string) string {
	var b strings.Builder
	b.WriteString("\n\nExit codes:")
	widest := 0
	for _, row := range rows {
		widest = max(widest, strings.Index(row, "  "))
	}
	for _, row := range rows {
		b.WriteString("\n  " + strings.Repeat(" ", widest-strings.Index(row, "  ")) + row)
	}
	return b.String()
}

// flagError says which flag is wrong, and why.
func flagError(_ *cobra.Command, err error) error {
	if value := (*pflag.InvalidValueError)(nil); errors.As(err, &value) {
		return usagef("--%s: %w", value.GetFlag().Name, value.Unwrap())
	}
	return &usageError{err}
}
