package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"carrel/disk"
	"carrel/machine"
	"carrel/machine/cache"
	"carrel/toolchain"
	"carrel/tree"
	"carrel/turn"
)

const (
	nativeClang    = "clang-22"
	wasmTarget     = "--target=wasm32-wasip1"
	hellosCompiled = 15
)

const helloC = "#include <stdio.h>\nint main(void) { printf(\"hello, world\\n\"); return 0; }\n"

// compiler measures carrel cc against native clang.
func (o *options) compiler(ctx context.Context, page *page) error {
	engines, err := engines()
	if err != nil {
		return err
	}
	var b compilerBench
	if b.dir, err = filepath.Abs(filepath.Join(o.dir, "compiler")); err != nil {
		return err
	}
	if b.home, err = filepath.Abs(filepath.Join(o.dir, "home")); err != nil {
		return err
	}
	if b.cli, err = filepath.Abs(o.cli); err != nil {
		return err
	}
	if err := b.write(); err != nil {
		return err
	}
	// Processes first: what a process is said to have had at most is at least what
	// this one has when it starts it.
	var figures []figure
	for _, e := range engines {
		more, err := b.processes(e.Name())
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
		figures = append(figures, more...)
	}
	contestants, err := b.contestants(ctx, engines)
	if err != nil {
		return err
	}
	r, err := race("large.c", contestants, o.turns)
	if err != nil {
		return err
	}
	page.compilers(o.turns, contestants, r)
	page.figures("Processes", figures)
	return nil
}

type compilerBench struct {
	cli       string
	dir, home string // for files, and of carrel
}

func (b *compilerBench) write() error {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(b.dir, "large.c"), cSource(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.dir, "hello.c"), []byte(helloC), 0o644)
}

// contestants compile the large file: native clang for this machine and for
// WebAssembly, and carrel cc with the compiler loaded. Objects of all engines must
// be the same.
func (b *compilerBench) contestants(ctx context.Context, engines []machine.Engine) ([]contestant, error) {
	contestants := []contestant{
		{"native clang", b.native("-O2", "-c", "-o", "native.o", "large.c")},
		{"native clang, for WebAssembly", b.native(wasmTarget, "-O2", "-c", "-o", "wasm.o", "large.c")},
	}
	program, resources, err := toolchain.Files(toolchain.Dir(filepath.Join(b.home, "tools")))
	if err != nil {
		return nil, fmt.Errorf("%w; CARREL_HOME=%s %s guest fetch clang", err, b.home, b.cli)
	}
	if bareCompiler != nil {
		run, err := bareCompiler(program, b.dir, "clang", "-cc1", "-triple", "wasm32-unknown-wasip1", "-emit-obj",
			"-O2", "-vectorize-loops", "-vectorize-slp", "-target-cpu", "generic", "-o", "bare.o", "-x", "c", "large.c")
		if err != nil {
			return nil, err
		}
		contestants = append(contestants, contestant{"the same program on wasmtime alone", run})
	}
	objects := map[string][]byte{}
	for _, e := range engines {
		run, err := b.loaded(ctx, e, program, resources, objects)
		if err != nil {
			return nil, err
		}
		contestants = append(contestants, contestant{"carrel cc on " + e.Name(), run})
	}
	return contestants, nil
}

// native is a run of clang-22: its processor time.
func (b *compilerBench) native(args ...string) func() (string, time.Duration, error) {
	return func() (string, time.Duration, error) {
		cmd := exec.Command(nativeClang, args...)
		cmd.Dir = b.dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			return "", 0, fmt.Errorf("%s: %w: %s", nativeClang, err, out)
		}
		return "", cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
	}
}

// loaded is a compilation in this process, by a program that is loaded once: the
// processor time of the process, with the run that asks clang what to do.
func (b *compilerBench) loaded(ctx context.Context, engine machine.Engine, program, resources []byte, objects map[string][]byte) (func() (string, time.Duration, error), error) {
	code, err := cache.Open(filepath.Join(b.home, "code"), 0)
	if err != nil {
		return nil, err
	}
	loaded, err := code.Load(ctx, engine, program)
	if err != nil {
		return nil, err
	}
	chain, err := toolchain.New(program, resources, func(context.Context, []byte) (*machine.Program, error) { return loaded.Share(), nil })
	if err != nil {
		return nil, err
	}
	support, err := chain.CompileSupport(ctx)
	if err != nil {
		return nil, err
	}
	if err := chain.SetSupport(support); err != nil {
		return nil, err
	}
	root, err := disk.Open("/")
	if err != nil {
		return nil, err
	}
	return func() (string, time.Duration, error) {
		var said bytes.Buffer
		var object []byte
		start := processTime()
		code, err := chain.Run(ctx, &toolchain.Command{
			Tool: "cc", Args: []string{"-O2", "-c", "-o", "large.o", "large.c"}, Dir: b.dir, Root: root,
			Limits: turn.Limits{Fuel: turn.FuelMax, MemoryPages: turn.MemoryPagesMax},
			Stdin:  &bytes.Buffer{}, Stdout: io.Discard, Stderr: &said,
			Apply: func(changes []tree.Change, _ []string) error {
				object = changes[0].Data
				return nil
			},
		})
		spent := processTime() - start
		if err != nil || code != 0 {
			return "", 0, fmt.Errorf("exit code %d: %w: %s", code, err, &said)
		}
		objects[engine.Name()] = object
		for name, other := range objects {
			if !bytes.Equal(object, other) {
				return "", 0, fmt.Errorf("%s and %s give different objects", name, engine.Name())
			}
		}
		return "", spent, nil
	}, nil
}

// processes measures whole commands of an engine.
func (b *compilerBench) processes(engine string) (figures []figure, err error) {
	run := func(background string, args ...string) (time.Duration, *os.ProcessState, error) {
		cmd := exec.Command(b.cli, append([]string{"cc"}, args...)...)
		cmd.Dir = b.dir
		cmd.Env = append(os.Environ(), "CARREL_HOME="+b.home, "CARREL_ENGINE="+engine, "CARREL_BACKGROUND="+background)
		start := time.Now()
		out, err := cmd.CombinedOutput()
		spent := time.Since(start)
		if err != nil {
			return 0, nil, fmt.Errorf("carrel cc %s: %w: %s", strings.Join(args, " "), err, out)
		}
		return spent, cmd.ProcessState, nil
	}
	for _, mode := range []struct{ what, background, limit string }{
		{"hello, a process alone with a warm cache", "off", "3.5 s"},
		{"hello, with the background process", "20s", "0.4 s"},
	} {
		var times []time.Duration
		for n := range hellosCompiled + 1 { // the first fills the cache, or starts the background process
			spent, _, err := run(mode.background, "-O2", "-o", "hello.wasm", "hello.c")
			if err != nil {
				return nil, err
			}
			if n > 0 {
				times = append(times, spent)
			}
		}
		figures = append(figures, figure{mode.what + ", " + engine, rounded(median(times)).String(), mode.limit})
	}
	var peaks []int64
	for range 3 {
		_, state, err := run("off", "-O2", "-c", "-o", "large.o", "large.c")
		if err != nil {
			return nil, err
		}
		peaks = append(peaks, peakBytes(state))
	}
	slices.Sort(peaks)
	return append(figures, figure{"peak memory, the large file, " + engine, fmt.Sprintf("%d MB", peaks[1]/1e6), "1.2 GB"}), nil
}

// peakBytes is the most memory that a process had.
func peakBytes(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return usage.Maxrss
	}
	return usage.Maxrss << 10
}
