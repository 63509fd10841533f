// Command bench measures what the determinism contract costs: C kernels and
// QuickJS, run natively, on the bare engines and on Carrel, in turns within one
// run. With -cc it measures what compiling in the sandbox costs, with -js engines
// of JavaScript. It prints tables of ratios, and can write them as a page.
//
// Run it by `make bench`, `make bench-cc` and `make bench-js`.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"carrel/machine"
	"carrel/machine/machinetest/quickjs"
	"carrel/machine/wazero"
)

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) }

type options struct {
	dir   string // where kernels are built
	npm   string // node_modules with quickjs-wasi and @yowasp/clang
	cli   string // the carrel binary
	page  string // where the tables are written as well
	turns int
	cc    bool           // measure the compiler, and nothing else
	js    bool           // measure engines of JavaScript, and nothing else
	xsnap string         // npm's xsnap-worker
	wasm  [2]string      // engines of JavaScript: our own, and the published one
	only  *regexp.Regexp // workloads
	on    *regexp.Regexp // subjects
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var o options
	flags.StringVar(&o.dir, "dir", filepath.Join(".cache", "bench"), "build the kernels in `DIR`")
	flags.StringVar(&o.npm, "npm", "", "measure QuickJS and clang from this node_modules `DIR`")
	flags.StringVar(&o.cli, "carrel", "", "measure this carrel `BINARY` as a process")
	flags.StringVar(&o.page, "page", "", "write the tables to `FILE` as well")
	flags.IntVar(&o.turns, "turns", 7, "measure each workload this many times")
	flags.BoolVar(&o.cc, "cc", false, "measure carrel cc, and nothing else")
	flags.BoolVar(&o.js, "js", false, "measure engines of JavaScript, and nothing else")
	flags.StringVar(&o.xsnap, "xsnap", filepath.Join(".cache", "xsnap", "xsnap-worker"), "measure XS as this `BINARY`, npm's xsnap-worker")
	flags.StringVar(&o.wasm[0], "engine", filepath.Join("guest", "js", "engine", "engine.wasm"), "measure this `FILE` as our own engine of JavaScript")
	flags.StringVar(&o.wasm[1], "published", filepath.Join(".cache", "programs", "quickjs.wasm"), "measure this `FILE` as the published one")
	only := flags.String("only", "", "measure workloads that match this `REGEXP`")
	on := flags.String("on", "", "measure on what matches this `REGEXP`")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	var err error
	if o.only, err = regexp.Compile(*only); err == nil {
		o.on, err = regexp.Compile(*on)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	runtime.LockOSThread() // processor time is taken by thread
	var page *page
	switch {
	case o.cc:
		page = newPage(stdout, "What compiling in the sandbox costs", "bench-cc", nativeClang)
		err = o.compiler(ctx, page)
	case o.js:
		page = newPage(stdout, "Engines of JavaScript", "bench-js", "gcc")
		err = o.javascript(ctx, page)
	default:
		page = newPage(stdout, "What the contract costs", "bench", "gcc", "clang")
		page.printf("`carrel on …` is all of the contract: fuel, depth, NaNs, memory limit.\n\n")
		err = o.measure(ctx, page)
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	if o.page == "" {
		return 0
	}
	if err := os.WriteFile(o.page, []byte(strings.TrimRight(page.text.String(), "\n")+"\n"), 0o644); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

func (o *options) measure(ctx context.Context, page *page) error {
	engines, err := engines()
	if err != nil {
		return err
	}
	subjects := []subject{bareWazero}
	if bareWasmtime != nil {
		subjects = append(subjects, *bareWasmtime, *fuelledWasmtime)
	}
	for _, e := range engines {
		subjects = append(subjects, carrelOn(e))
	}
	subjects = slices.DeleteFunc(subjects, func(s subject) bool { return !o.on.MatchString(s.name) })
	if err := o.kernels(page, subjects); err != nil {
		return err
	}
	if err := o.quickjs(page, subjects); err != nil {
		return err
	}
	if err := o.small(ctx, page, engines); err != nil {
		return err
	}
	return o.images(ctx, page, engines)
}

// engines are those that compile and are built in.
func engines() ([]machine.Engine, error) {
	first, err := wazero.Compiled(wazero.Options{})
	if err != nil {
		return nil, err
	}
	second, err := wasmtimeEngine()
	if err != nil {
		return []machine.Engine{first}, nil
	}
	return []machine.Engine{first, second}, nil
}

func (o *options) kernels(page *page, subjects []subject) error {
	if err := build(o.dir); err != nil {
		return err
	}
	var rows []row
	fuels := map[string]uint64{}
	for _, k := range kernels {
		if !o.only.MatchString(k.name) {
			continue
		}
		wasm, err := os.ReadFile(native(o.dir, k.name) + ".wasm")
		if err != nil {
			return err
		}
		r, fuel, err := o.kernel(k.name, k.rounds, wasm, subjects)
		if err != nil {
			return err
		}
		rows, fuels[k.name] = append(rows, r), fuel
	}
	if len(rows) > 0 {
		page.kernels(subjects, rows, fuels)
	}
	return nil
}

// kernel races native code against all subjects, and checks that all that count
// fuel count the same.
func (o *options) kernel(name string, rounds uint64, wasm []byte, subjects []subject) (row, uint64, error) {
	contestants := []contestant{nativeContestant(native(o.dir, name), rounds)}
	var guests []guest
	for _, s := range subjects {
		g, err := s.load(wasm, nil)
		if err != nil {
			return row{}, 0, fmt.Errorf("%s, %s: %w", name, s.name, err)
		}
		defer g.close()
		guests = append(guests, g)
		contestants = append(contestants, guestContestant(s.name, g, rounds))
	}
	r, err := race(name, contestants, o.turns)
	if err != nil {
		return row{}, 0, err
	}
	fuel, err := sameFuel(guests)
	return r, fuel / uint64(o.turns+1), err
}

// sameFuel is what all guests that count fuel have used.
func sameFuel(guests []guest) (fuel uint64, err error) {
	for _, g := range guests {
		counted, ok := g.(*carrelGuest)
		if !ok {
			continue
		}
		used, err := counted.fuel()
		switch {
		case err != nil:
			return 0, err
		case fuel == 0:
			fuel = used
		case fuel != used:
			return 0, fmt.Errorf("engines count %d and %d units of fuel", fuel, used)
		}
	}
	return fuel, nil
}

func (o *options) quickjs(page *page, subjects []subject) error {
	path := filepath.Join(o.npm, "quickjs-wasi", "quickjs.wasm")
	if o.npm == "" || !o.only.MatchString("quickjs") {
		return nil
	}
	wasm, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var contestants []contestant
	var guests []guest
	for _, s := range subjects {
		g, err := s.load(wasm, quickjs.Imports)
		if err != nil {
			return fmt.Errorf("quickjs, %s: %w", s.name, err)
		}
		defer g.close()
		v, err := newVM(g)
		if err != nil {
			return fmt.Errorf("quickjs, %s: %w", s.name, err)
		}
		guests = append(guests, g)
		contestants = append(contestants, scriptContestant(s.name, v, "work()"))
	}
	r, err := race("quickjs", contestants, o.turns)
	if err != nil {
		return err
	}
	if _, err := sameFuel(guests); err != nil {
		return fmt.Errorf("quickjs: %w", err)
	}
	page.quickjs(subjects, r)
	return nil
}
