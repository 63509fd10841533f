package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"carrel/disk"
	"carrel/home"
	"carrel/machine"
	"carrel/toolchain"
	"carrel/toolchain/daemon"
	"carrel/tree"
	"carrel/turn"
)

// toolFuel is the fuel of one run of a tool: half an hour or more of computing, so that
// a template without end stops by itself.
const toolFuel = 1e13

// toolNames say what each tool is.
var toolNames = []struct{ name, short string }{
	{"cc", "Compile C in the sandbox: clang for WebAssembly"},
	{"c++", "Compile C++ in the sandbox"},
	{"ld", "Link WebAssembly: wasm-ld"},
	{"ar", "Make archives of object files: llvm-ar"},
	{"ranlib", "Index an archive"},
	{"nm", "List symbols"},
	{"strip", "Remove symbols and debug information"},
	{"objcopy", "Copy and change object files"},
	{"objdump", "Show what is in object files"},
	{"size", "Show the sizes of sections"},
}

func toolCommands() (all []*cobra.Command) {
	for _, t := range toolNames {
		all = append(all, &cobra.Command{
			Use:   t.name + " [ARG...]",
			Short: t.short,
			// All flags are the tool's: make and configure give them.
			DisableFlagParsing: true,
			RunE: func(cmd *cobra.Command, args []string) error {
				return runTool(cmd, t.name, args)
			},
		})
	}
	return all
}

// runTool runs a tool as the shell would.
func runTool(cmd *cobra.Command, name string, args []string) error {
	to, args, err := receiptFlag(args)
	if err != nil {
		return err
	}
	dir, err := workingDir()
	if err != nil {
		return err
	}
	source, err := disk.Open("/")
	if err != nil {
		return err
	}
	defer source.Close()
	limits, err := toolLimits()
	if err != nil {
		return err
	}
	c := &toolchain.Command{
		Tool: name, Args: args, Dir: dir, Root: source, Limits: limits,
		Stdin: cmd.InOrStdin(), Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr(),
		Apply: publishBuild,
	}
	ctx, stop := interrupted(cmd.Context())
	defer stop()
	perform := func() (int, error) {
		return await(ctx, func() (int, error) { return performTool(ctx, cmd, c) })
	}
	if to != "" {
		perform, err = recorded(cmd, to, c, perform)
		if err != nil {
			return err
		}
	}
	code, err := perform()
	fault := (*toolchain.FaultError)(nil)
	switch {
	case errors.Is(context.Cause(ctx), errInterrupt):
		return failf(exitInterrupted, "%s: interrupted", name)
	case errors.As(err, &fault) && fault.Outcome.Class == turn.Fuel:
		return failf(exitFuel, "%s: out of fuel after %v units; CARREL_FUEL=N sets another limit", name, (*fuel)(&limits.Fuel))
	case errors.As(err, &fault):
		return failf(guestExit(fault.Outcome), "%s: %w", name, err)
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	}
	return quit(code)
}

// receiptFlag takes our own flag off a command line: --receipt FILE comes before
// all that is the tool's.
func receiptFlag(args []string) (to string, rest []string, err error) {
	const flag = "--receipt"
	if len(args) == 0 {
		return "", args, nil
	}
	if value, ok := strings.CutPrefix(args[0], flag+"="); ok {
		to, rest = value, args[1:]
	} else if args[0] == flag {
		if len(args) > 1 {
			to = args[1]
		}
		rest = args[min(2, len(args)):]
	} else {
		return "", args, nil
	}
	if to == "" {
		return "", nil, fmt.Errorf("%s FILE: the receipt of a build goes to a file, or into a directory", flag)
	}
	return to, rest, nil
}

// performTool runs a tool in the background process that has it loaded, or else
// here.
func performTool(ctx context.Context, cmd *cobra.Command, c *toolchain.Command) (int, error) {
	engine, err := toolEngine()
	if err != nil {
		return 0, err
	}
	b, err := findBackground(engine)
	if err != nil {
		return 0, err
	}
	if b != nil {
		if code, err := daemon.Run(ctx, b.socket, c); !errors.Is(err, daemon.ErrNone) {
			return code, err
		}
	}
	chain, closing, err := openToolchain(ctx, cmd, engine)
	if err != nil {
		return 0, err
	}
	defer closing()
	code, err := chain.Run(ctx, c)
	if err == nil && b != nil {
		b.start()
	}
	return code, err
}

// toolLimits are the limits of one run of a tool.
func toolLimits() (turn.Limits, error) {
	units := fuel(toolFuel)
	if asked := os.Getenv("CARREL_FUEL"); asked != "" {
		if err := units.Set(asked); err != nil {
			return turn.Limits{}, fmt.Errorf("CARREL_FUEL: %w", err)
		}
	}
	return turn.Limits{Fuel: uint64(units), MemoryPages: turn.MemoryPagesMax}, nil
}

// toolEngine is the engine for tools: flags are theirs.
func toolEngine() (engineName, error) {
	name := engineName("auto")
	if asked := os.Getenv("CARREL_ENGINE"); asked != "" {
		if err := name.Set(asked); err != nil {
			return "", fmt.Errorf("CARREL_ENGINE: %w", err)
		}
	}
	return name, nil
}

// workingDir is the working directory by its real path.
func workingDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// publishBuild puts what a job wrote into place.
func publishBuild(changes []tree.Change, programs []string) error {
	if err := disk.Apply("/", changes); err != nil {
		return err
	}
	for _, name := range programs { // as a linker does; the umask has been applied
		name = "/" + name
		if info, err := os.Stat(name); err == nil {
			mode := info.Mode().Perm()
			if err := os.Chmod(name, mode|mode>>2&0o111); err != nil {
				return err
			}
		}
	}
	return nil
}

// openToolchain finds the toolchain, or fetches it, and loads its program when
// it is first needed.
func openToolchain(ctx context.Context, cmd *cobra.Command, name engineName) (*toolchain.Toolchain, func(), error) {
	h, err := home.Find()
	if err != nil {
		return nil, nil, err
	}
	dir := toolchain.Dir(h.Tools)
	program, resources, err := toolchain.Files(dir)
	if errors.Is(err, toolchain.ErrAbsent) {
		if err := clang.get(cmd, dir, ""); err != nil {
			return nil, nil, err
		}
		program, resources, err = toolchain.Files(dir)
	}
	if err != nil {
		return nil, nil, err
	}
	engine, err := name.open()
	if err != nil {
		return nil, nil, err
	}
	load := sync.OnceValues(func() (*machine.Program, error) {
		return loadProgram(context.WithoutCancel(ctx), engine, program, cmd)
	})
	chain, err := toolchain.New(program, resources, func(context.Context, []byte) (*machine.Program, error) {
		loaded, err := load()
		if err != nil {
			return nil, err
		}
		return loaded.Share(), nil
	})
	if err == nil {
		err = addSupport(ctx, chain, dir)
	}
	return chain, func() { engine.Close() }, err
}

// addSupport adds the support library, which is compiled when it is first
// needed.
func addSupport(ctx context.Context, chain *toolchain.Toolchain, dir string) error {
	name := filepath.Join(dir, toolchain.SupportName())
	object, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if object, err = chain.CompileSupport(ctx); err == nil {
			err = disk.Replace(name, func(w io.Writer) error { _, err := w.Write(object); return err })
		}
	}
	if err != nil {
		return err
	}
	return chain.SetSupport(object)
}
