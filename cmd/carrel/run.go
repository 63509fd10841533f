package main

import (
	"encoding/hex"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"carrel/guest/posix"
	"carrel/runner"
	"carrel/turn"
)

const (
	// fuelDefault is the fuel of a run unless --fuel says otherwise: some
	// minutes of computing, so that a loop ends by itself.
	fuelDefault fuel = 1e12
	// memoryDefault is the memory of a run unless --memory says otherwise.
	memoryDefault size = 1 << 30
	// seedBytesMax bounds --seed.
	seedBytesMax = 64
)

// runFlags are the flags of carrel run.
type runFlags struct {
	fuel    fuel
	memory  size
	dirs    []mount
	tars    []mount
	env     []string
	cwd     string
	time    string
	clock   string
	seed    string
	timeout time.Duration
	engine  engineName
	receipt string
	trace   traceFlag
	stats   bool
	output  format

	from     string
	call     string
	imageOut string

	zencode zencodeFlags
	worker  workerFlags
}

func runCommand() *cobra.Command {
	f := &runFlags{fuel: fuelDefault, memory: memoryDefault}
	cmd := &cobra.Command{
		Use:   "run [flags] PROGRAM [ARG...]",
		Short: "Run a program sealed in",
		Long: `Run runs a WASI preview 1 program, or one of JavaScript (.js, .mjs, .cjs, .ts, with
all that it imports; it is handed no files), or a script of Zencode (.zen) or of Lua
with Zenroom's libraries (.lua), which is handed --data, --keys, --extra and --context,
before or after its name, and draws a seed if there is no --seed; or a worker of nXCC
(.json), invoked as nxcc-zenroom-vm would, by a launch, --event or --http. It sees no clock, network, disk or chance but
what the flags hand in, and the same inputs give the same bytes and the same
fuel on every machine and every engine. Standard input, output and error are the
program's. Flags after PROGRAM belong to the program.

A directory or tar that is handed in writable (rw, wo) changes in memory. It is
written back when the program exits with 0, and only then.

The program sees what it is handed under these names. Where no root is handed in,
it is an empty directory with a /tmp, both writable, that nobody keeps.
  --dir HOST              . is /, data is /data, /srv/data is /srv/data
  --dir HOST:GUEST        GUEST, an absolute path
  --dir HOST:GUEST:rw     the same, written back on exit 0
  --tar FILE[:GUEST]      the tree in a tar image, at / or GUEST, read-only
  --tar FILE[:GUEST]:wo   an empty tree that becomes a tar image on exit 0
  --tar FILE[:GUEST]:rw   the tree in a tar image, written back on exit 0

A program that is imageable (carrel inspect says so) can be stopped when it has
exited, or a function of it has returned, and go on later from an image:
  --image-out FILE        keep what the program leaves, on exit 0
  --from IMAGE --call F   go on from there with a call of its function F
With --call, ARG... are numbers for the function and what it returns is printed.
A program that has an _initialize is initialised first, once.` + exits(
			"0-255  the program's own; larger ones as 255, --stats has the number",
			"124  --timeout stopped the program",
			"125  our own error, or this host could not go on",
			"126  refused: not a program that this machine runs",
			"127  PROGRAM, or the image to go on from, was not found",
			"130  interrupted (Ctrl-C; once more kills)",
			"134  a trap: unreachable, memory, table, divide, overflow, conversion",
			"139  too deep",
			"152  out of fuel") + `

The program may itself exit with one of these codes: --stats and the receipt
have the class of the end (exit, fuel, memory, …) beside the number.`,
		Example: `  carrel run hello.wasm
  carrel run --dir . wc.wasm -l a.txt
  carrel run prog.mjs one two < input
  carrel run hello.zen --data data.json --keys keys.json
  carrel run worker.json --secret API_KEY=key.txt --http request.json
  carrel run --fuel 10M --memory 64MiB --timeout 5s untrusted.wasm < in > out
  carrel run --dir src:/src --dir out:/out:rw build.wasm
  carrel run --trace calls --dir . wc.wasm a.txt
  carrel run --receipt r.json --stats sort.wasm < words.txt
  carrel run --call add --image-out a.image calc.wasm 1 2
  carrel run --from a.image --call add --image-out b.image calc.wasm 3 4`,
		Args: atLeast("PROGRAM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			if isZencode(name) || isWorker(name) { // which has no arguments: flags may follow it
				if err := cmd.Flags().Parse(args[1:]); err != nil {
					return usagef("%w", err)
				}
				args = append(args[:1:1], cmd.Flags().Args()...)
			}
			spec, err := f.spec(args)
			if err != nil {
				return err
			}
			if isWorker(name) {
				if err := f.checkWorker(args); err != nil {
					return err
				}
				return f.runWorker(cmd, name, spec)
			}
			return f.run(cmd, name, spec)
		},
	}
	f.add(cmd)
	return cmd
}

func (f *runFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SetInterspersed(false) // flags after PROGRAM are the program's
	flags.SortFlags = false
	flags.Var(&f.fuel, "fuel", "units of fuel that the program may use, with k, M, G or T")
	flags.Var(&f.memory, "memory", "memory that the program may use, with K, M or G; at most 2GiB")
	flags.Var(mounts{&f.dirs, parseDir, "HOST[:GUEST][:rw]"}, "dir", "hand in a directory")
	flags.Var(mounts{&f.tars, parseTar, "FILE[:GUEST][:ro|wo|rw]"}, "tar", "hand in a tar image")
	flags.StringArrayVar(&f.env, "env", nil, "set an environment variable, `K=V`")
	flags.StringVar(&f.cwd, "cwd", "", "let relative paths begin at `DIR`, an absolute path in what is handed in at /")
	flags.StringVar(&f.time, "time", "", "what the program's clock starts at, `RFC3339` (default 1970-01-01T00:00:00Z)")
	flags.StringVar(&f.clock, "clock", "tick", "`tick|fixed`: a microsecond forward with every reading, or still")
	flags.StringVar(&f.seed, "seed", "", "seed of the program's random numbers, `HEX` (default none: always the same numbers)")
	flags.DurationVar(&f.timeout, "timeout", 0, "stop the program after `DUR` of wall-clock time, as in 1m30s (default never)")
	f.engine.flag(cmd)
	flags.StringVar(&f.receipt, "receipt", "", "write a signed receipt to `FILE`")
	flags.StringVar(&f.call, "call", "", "call the exported function `F` with ARG... in place of _start")
	flags.StringVar(&f.from, "from", "", "go on from an `IMAGE`, with --call")
	flags.StringVar(&f.imageOut, "image-out", "", "write the image that the program leaves to `FILE`, on exit 0")
	flags.Var(&f.trace, "trace", "print to standard error what the program does as it happens: each call of an import (`calls`)")
	flags.BoolVar(&f.stats, "stats", false, "print class, code, fuel and digests to standard error at the end")
	f.zencode.add(cmd)
	f.worker.add(cmd)
	f.output.flag(cmd)
	cmd.Flags().Lookup("output").Usage = "how --stats prints: text or json"
	_ = cmd.RegisterFlagCompletionFunc("from", completeImages)
	_ = cmd.RegisterFlagCompletionFunc("trace", cobra.FixedCompletions([]string{traceCalls}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("clock", cobra.FixedCompletions([]string{"tick", "fixed"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return []string{"wasm", "js", "mjs", "cjs", "ts", "mts", "zen", "lua", "json"}, cobra.ShellCompDirectiveFilterFileExt
		}
		return nil, cobra.ShellCompDirectiveDefault
	}
}

// spec is what the flags and arguments hand to the program, but for files and
// streams.
func (f *runFlags) spec(args []string) (*runner.Spec, error) {
	pages, err := f.memory.memoryPages()
	if err != nil {
		return nil, usagef("--memory: %w", err)
	}
	start, err := parseStart(f.time)
	if err != nil {
		return nil, usagef("--time: %w", err)
	}
	clock, err := posix.ParseClock(f.clock)
	if err != nil {
		return nil, usagef("--clock: %w", err)
	}
	seed, err := hex.DecodeString(f.seed)
	if err != nil || len(seed) > seedBytesMax {
		return nil, usagef("--seed: %q is not at most %d bytes in hexadecimal digits", f.seed, seedBytesMax)
	}
	for _, pair := range f.env {
		if name, _, ok := strings.Cut(pair, "="); !ok || name == "" {
			return nil, usagef("--env: %q is not of the form K=V", pair)
		}
	}
	if f.receipt != "" {
		for _, text := range slices.Concat(args, f.env) {
			if !utf8.ValidString(text) {
				return nil, usagef("%q is not UTF-8: a receipt cannot hold it", text)
			}
		}
	}
	if f.timeout < 0 {
		return nil, usagef("--timeout: %v is less than nothing", f.timeout)
	}
	if f.from != "" && f.call == "" {
		return nil, usagef("--from needs --call: a program is started only once, and goes on with a call of one of its functions")
	}
	if f.cwd != "" && f.cwd[0] != '/' {
		return nil, usagef("--cwd: %q is not an absolute path, as the program sees them", f.cwd)
	}
	argv := append([]string{filepath.Base(args[0])}, args[1:]...)
	var call *runner.Call
	if f.call != "" {
		call, argv = &runner.Call{Export: f.call, Args: args[1:]}, argv[:1]
	}
	return &runner.Spec{
		Args:   argv,
		Call:   call,
		Image:  f.imageOut != "",
		Env:    f.env,
		Cwd:    f.cwd,
		Start:  start,
		Clock:  clock,
		Seed:   seed,
		Limits: turn.Limits{Fuel: uint64(f.fuel), MemoryPages: pages},
		Root:   f.receipt != "",
	}, nil
}

// parseStart reads the start of a clock: nanoseconds since 1970.
func parseStart(s string) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time like 2026-11-20T09:00:00Z", s)
	}
	if t.Unix() < 0 || t.Unix() > math.MaxInt64/int64(time.Second)-1 {
		return 0, fmt.Errorf("%q is not between 1970 and 2262", s)
	}
	return uint64(t.UnixNano()), nil
}
