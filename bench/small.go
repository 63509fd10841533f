package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"carrel/guest/posix"
	"carrel/machine"
	"carrel/machine/meter"
	"carrel/turn"
)

const (
	startsInProcess = 2000
	startsOfProcess = 40
	rewrites        = 5
)

// small measures what is short: a start of a program, the rewriting of one.
func (o *options) small(ctx context.Context, page *page, engines []machine.Engine) error {
	var figures []figure
	if o.only.MatchString("hello") {
		hello, err := buildHello(o.dir)
		if err != nil {
			return err
		}
		for _, e := range engines {
			spent, err := startInProcess(ctx, e, hello)
			if err != nil {
				return fmt.Errorf("start on %s: %w", e.Name(), err)
			}
			figures = append(figures, figure{"start, print, exit, close, in process, " + e.Name(), rounded(spent).String(), "40 µs"})
		}
		for _, e := range engines {
			if o.cli == "" {
				break
			}
			spent, err := startProcess(o.cli, o.dir, e.Name(), hello)
			if err != nil {
				return fmt.Errorf("start a process on %s: %w", e.Name(), err)
			}
			figures = append(figures, figure{"carrel run hello.wasm, whole process, warm cache, " + e.Name(), rounded(spent).String(), "10 ms"})
		}
	}
	if o.npm != "" && o.only.MatchString("rewrite") {
		f, err := rewrite(filepath.Join(o.npm, "@yowasp", "clang", "gen", "llvm.core.wasm"))
		if err != nil {
			return err
		}
		figures = append(figures, f)
	}
	if len(figures) > 0 {
		page.figures("Small things", figures)
	}
	return nil
}

// A figure is one value and the most that it should be.
type figure struct{ what, value, limit string }

func buildHello(dir string) (string, error) {
	wasm := filepath.Join(dir, "kernels", "hello.wasm")
	return wasm, compile("clang", "--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry",
		"-o", wasm, filepath.Join(dir, "kernels", "hello.c"))
}

// startInProcess is the median wall-clock time from a compiled program to its
// outcome, and back to nothing.
func startInProcess(ctx context.Context, engine machine.Engine, path string) (time.Duration, error) {
	wasm, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	program, err := machine.Load(ctx, engine, wasm)
	if err != nil {
		return 0, err
	}
	defer program.Close()
	var times []time.Duration
	for range startsInProcess {
		var out bytes.Buffer
		start := time.Now()
		outcome, err := helloOnce(program, &out)
		times = append(times, time.Since(start))
		switch {
		case err != nil:
			return 0, err
		case outcome.Class != turn.Exit || outcome.Code != 0 || out.String() != "hello, world\n":
			return 0, fmt.Errorf("ended as %v %d: %q", outcome.Class, outcome.Code, out.String())
		}
	}
	return median(times), nil
}

func helloOnce(program *machine.Program, out *bytes.Buffer) (turn.Outcome, error) {
	system, err := posix.New(posix.Config{Args: []string{"hello"}, Stdout: out})
	if err != nil {
		return turn.Outcome{}, err
	}
	instance, err := program.Instantiate(turn.Limits{Fuel: 1 << 30, MemoryPages: 1024}, posix.Imports())
	if err != nil {
		return turn.Outcome{}, err
	}
	outcome := instance.Outcome(system.Run(instance))
	return outcome, instance.Close()
}

// startProcess is the median wall-clock time of a whole process.
func startProcess(cli, dir, engine, path string) (time.Duration, error) {
	home, err := filepath.Abs(filepath.Join(dir, "home"))
	if err != nil {
		return 0, err
	}
	var times []time.Duration
	for n := range startsOfProcess + 1 { // the first fills the cache
		cmd := exec.Command(cli, "run", "--engine", engine, path)
		cmd.Env = append(os.Environ(), "CARREL_HOME="+home)
		start := time.Now()
		out, err := cmd.CombinedOutput()
		if err != nil {
			return 0, fmt.Errorf("%w: %s", err, out)
		}
		if n > 0 {
			times = append(times, time.Since(start))
		}
	}
	return median(times), nil
}

// rewrite is the median processor time of this process for rewriting a module,
// the collector's included.
func rewrite(path string) (figure, error) {
	wasm, err := os.ReadFile(path)
	if err != nil {
		return figure{}, err
	}
	var times []time.Duration
	for range rewrites {
		runtime.GC()
		start := processTime()
		module, err := meter.Rewrite(wasm)
		if err != nil {
			return figure{}, err
		}
		times = append(times, processTime()-start)
		runtime.KeepAlive(module)
	}
	what := fmt.Sprintf("rewriting %s, %d MB", filepath.Base(path), len(wasm)/1e6)
	return figure{what, rounded(median(times)).String(), "2 s of processor time"}, nil
}
