package machinetest

import (
	"context"
	"fmt"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"

	"carrel/machine"
	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
	"carrel/turn"
)

// A run is all that can be seen of one run of a generated module.
type run struct {
	results [][]uint64 // of the exports that returned
	log     []string   // of the host calls
	class   turn.Class
	code    uint32
	fuel    uint64
	globals []uint64
	size    int    // of memory at the end
	digest  uint32 // of memory at the end
	text    string // for people
	trace   []place
	more    bool // there was more to the trace

	instantiated bool // of an original
}

func (r *run) remember(memory []byte) {
	r.size, r.digest = len(memory), crc32.ChecksumIEEE(memory)
}

// Same reports on t whether engines differ in a module that wasmgen generated:
// see Compare.
func Same(t testing.TB, wasm []byte, engines ...machine.Engine) {
	t.Helper()
	if err := Compare(wasm, engines...); err != nil {
		t.Error(err)
	}
}

// PlentyOfFuel is the limit of a run that is to end by itself, or soon enough.
const PlentyOfFuel = 3_000_000

// Compare runs a module that wasmgen generated on each engine: all its exports
// in order, on one instance, with several fuel limits. An error says what two
// engines differ in, or which law of fuel is broken:
//
//   - results, host calls, class, fuel, memory and globals are the same on all
//     engines; only the interpreter may end with class worker;
//   - where a fault found the guest is the same, as far as engines can tell;
//   - a turn that ended by itself, and used T, is the same with the limit T;
//   - with the limit T-1 it ends with class fuel;
//   - with any lower limit it does too, and what the host was called for is the
//     beginning of what it is called for without limit;
//   - the size of the slices in which the guest gets its fuel changes nothing.
func Compare(wasm []byte, engines ...machine.Engine) error {
	_, err := CompareWithin(PlentyOfFuel, wasm, engines...)
	return err
}

// CompareWithin is Compare with another limit in place of PlentyOfFuel. It
// returns what the exports of a module returned that came to an end within it.
func CompareWithin(limit uint64, wasm []byte, engines ...machine.Engine) ([][]uint64, error) {
	module, err := meter.Rewrite(wasm)
	if err != nil {
		return nil, fmt.Errorf("rewrite: %w", err)
	}
	origins, err := meter.FindOrigins(wasm, all)
	if err != nil {
		return nil, fmt.Errorf("rewrite: %w", err)
	}
	module.Layout.Lines = len(wasm)%2 == 0 // what engines compile differs in it
	var runners []*runner
	for _, engine := range engines {
		r, err := newRunner(engine, module)
		if err != nil {
			return nil, err
		}
		defer r.close()
		r.origins = origins
		runners = append(runners, r)
	}
	full, err := sameOn(runners, limit)
	if err != nil {
		return nil, err
	}
	if err := slicesDoNotMatter(runners[0], full, limit); err != nil {
		return nil, err
	}
	limits, err := limitsOf(runners[0], full, limit)
	if err != nil {
		return nil, err
	}
	for _, lower := range limits {
		got, err := sameOn(runners, lower)
		if err != nil {
			return nil, err
		}
		if err := lawful(full, got, lower); err != nil {
			return nil, fmt.Errorf("with fuel limit %d: %w", lower, err)
		}
	}
	if err := prefixes(runners[0], full, limit); err != nil {
		return nil, err
	}
	if full.class != turn.Exit {
		return nil, nil
	}
	return full.results, nil
}

// limitsOf are the fuel limits to try on all engines after a run with plenty.
// For a fault they are also the lowest limit that lets it happen, and one less:
// there the placement of charges decides.
func limitsOf(r *runner, full *run, plenty uint64) ([]uint64, error) {
	switch total := full.fuel; full.class {
	case turn.Exit:
		limits := []uint64{total, total - 1, total / 2, total / 3, total - total/10, total / 50, 1, 0}
		return slices.DeleteFunc(limits, func(limit uint64) bool { return limit > total }), nil
	case turn.Fuel:
		return []uint64{0, 100, 1000, 10_000, plenty / 3}, nil
	}
	low, high := uint64(0), plenty // the fault happens at high
	for low < high {
		middle := (low + high) / 2
		got, err := r.run(middle)
		switch {
		case err != nil:
			return nil, err
		case got.class == full.class:
			high = middle
		default:
			low = middle + 1
		}
	}
	return []uint64{high, max(high, 1) - 1, high / 2, high + 1, 0}, nil
}

// prefixes checks on one engine that with more fuel a turn only gets further.
func prefixes(r *runner, full *run, plenty uint64) error {
	const steps = 16
	end := plenty / 100
	if full.class == turn.Exit {
		end = full.fuel
	}
	var before []string
	for step := range uint64(steps) {
		limit := end / steps * step
		got, err := r.run(limit)
		if err == nil {
			err = lawful(full, got, limit)
		}
		if err == nil && (len(before) > len(got.log) || !slices.Equal(before, got.log[:len(before)])) {
			err = fmt.Errorf("less fuel got further: %s", differAt(before, got.log))
		}
		if err != nil {
			return fmt.Errorf("on %s with fuel limit %d: %w", r.engine.Name(), limit, err)
		}
		before = got.log
	}
	return nil
}

// lawful checks a run with a limit against the run with plenty.
func lawful(full, got *run, limit uint64) error {
	if full.class == turn.Exit && limit >= full.fuel {
		return differ(full, got)
	}
	if got.class.Faulted() && got.fuel != limit {
		return fmt.Errorf("class %v used %d, not the limit", got.class, got.fuel)
	}
	if full.class == turn.Exit && got.class != turn.Fuel {
		return fmt.Errorf("class %v, the whole takes %d", got.class, full.fuel)
	}
	if got.class != turn.Fuel && got.class != full.class {
		return fmt.Errorf("class %v, with plenty it is %v", got.class, full.class)
	}
	if len(got.log) > len(full.log) || !slices.Equal(got.log, full.log[:len(got.log)]) {
		return fmt.Errorf("host calls are not the beginning of those with plenty: %s", differAt(full.log, got.log))
	}
	return nil
}

// sameOn runs a module on all engines with one limit.
func sameOn(runners []*runner, limit uint64) (*run, error) {
	var first *run
	var name string
	for _, r := range runners {
		got, err := r.run(limit)
		if err != nil {
			return nil, err
		}
		switch {
		case got.class == turn.Worker && r.engine.Name() == "interpreter":
			continue // it cannot; that is no result
		case got.class == turn.Worker:
			return nil, fmt.Errorf("%s with fuel limit %d: worker fault: %s", r.engine.Name(), limit, got.text)
		case first == nil:
			first, name = got, r.engine.Name()
		default:
			err := differ(first, got)
			if err == nil {
				err = sameTrace(first, got)
			}
			if err != nil {
				return nil, fmt.Errorf("%s and %s differ with fuel limit %d: %w", name, r.engine.Name(), limit, err)
			}
		}
	}
	if first == nil {
		return nil, fmt.Errorf("no engine could run it")
	}
	return first, nil
}

func slicesDoNotMatter(r *runner, full *run, limit uint64) error {
	for _, slice := range []uint64{1, 777} {
		r.engine.slice = slice
		got, err := r.run(limit)
		r.engine.slice = 0
		if err == nil {
			err = differ(full, got)
		}
		if err != nil {
			return fmt.Errorf("on %s with slices of %d: %w", r.engine.Name(), slice, err)
		}
	}
	return nil
}

// Original checks that a module behaves as the module that it is rewritten to.
// The module must be bounded and portable (wasmgen.Options).
func Original(wasm []byte, engine machine.Engine) error { return Mended(wasm, wasm, engine) }

// Mended checks that a module, rewritten, behaves as another one that makes its
// NaNs canonical by itself: the two differ in wasmgen.Options.Raw.
func Mended(mended, wasm []byte, engine machine.Engine) error {
	want, err := original(mended, wazero.NewRuntimeConfig())
	if err != nil {
		return err
	}
	module, err := meter.Rewrite(wasm)
	if err != nil {
		return fmt.Errorf("rewrite: %w", err)
	}
	r, err := newRunner(engine, module)
	if err != nil {
		return err
	}
	defer r.close()
	got, err := r.run(turn.FuelMax)
	if err != nil {
		return err
	}
	if !want.instantiated { // its memory cannot be seen
		want.size, want.digest = got.size, got.digest
	}
	want.fuel, want.globals = got.fuel, got.globals
	if err := differ(want, got); err != nil {
		return fmt.Errorf("the original and what it is rewritten to differ: %w", err)
	}
	return nil
}

// differ says what differs between two runs.
func differ(a, b *run) error {
	switch {
	case !slices.Equal(a.log, b.log):
		return fmt.Errorf("host calls: %s (%v %q, %v %q)", differAt(a.log, b.log), a.class, a.text, b.class, b.text)
	case a.class != b.class || a.code != b.code:
		return fmt.Errorf("class: %v %d (%s), %v %d (%s)", a.class, a.code, a.text, b.class, b.code, b.text)
	case !slices.EqualFunc(a.results, b.results, slices.Equal[[]uint64]):
		return fmt.Errorf("results: %x, %x", a.results, b.results)
	case a.fuel != b.fuel:
		return fmt.Errorf("fuel: %d, %d", a.fuel, b.fuel)
	case a.size != b.size:
		return fmt.Errorf("memory: %d bytes, %d bytes", a.size, b.size)
	case a.digest != b.digest:
		return fmt.Errorf("memory: it holds other bytes")
	case !slices.Equal(a.globals, b.globals):
		return fmt.Errorf("globals: %x, %x", a.globals, b.globals)
	}
	return nil
}

func differAt(a, b []string) string {
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return fmt.Sprintf("number %d: none, %q", i, b[i])
		case i >= len(b):
			return fmt.Sprintf("number %d: %q, none", i, a[i])
		case a[i] != b[i]:
			return fmt.Sprintf("number %d: %q, %q", i, a[i], b[i])
		}
	}
	return "none"
}

// A runner runs one module on one engine, again and again.
type runner struct {
	engine  *watched
	program *machine.Program
	origins *meter.Origins // nil if traces are of no interest
}

func newRunner(engine machine.Engine, module *meter.Module) (*runner, error) {
	w := &watched{Engine: engine}
	code, err := w.Compile(context.Background(), module)
	if err != nil {
		return nil, fmt.Errorf("compile on %s: %w", engine.Name(), err)
	}
	return &runner{engine: w, program: machine.NewProgram(module, code)}, nil
}

func (r *runner) close() { _ = r.program.Close() }

// metered makes an instance a guest of a world.
type metered struct {
	*machine.Instance
	module *meter.Module
}

func (m metered) Has(export string) bool {
	_, ok := m.module.Export(export)
	return ok
}

// worldImports are what a generated module may import, served by the world of
// the moment.
func worldImports(module *meter.Module, of func() *world) machine.Imports {
	imports := machine.Imports{}
	for _, im := range wasmgen.Imports {
		imports[[2]string{"env", im.Name}] = machine.HostImport{
			Type: meter.FuncType{Params: valTypes(im.Params), Results: valTypes(im.Results)},
			Call: func(i *machine.Instance, stack []uint64) error {
				err := of().call(metered{i, module}, im, stack)
				if exit, ok := err.(errExit); ok {
					return machine.Exit(exit.code)
				}
				return err
			},
		}
	}
	return imports
}

// run runs all exports of the module on a fresh instance.
func (r *runner) run(limit uint64) (*run, error) {
	module := r.program.Module
	w := &world{}
	imports := worldImports(module, func() *world { return w })
	instance, err := r.program.Instantiate(turn.Limits{Fuel: limit, MemoryPages: pagesLimit}, imports)
	if err != nil {
		return nil, fmt.Errorf("instantiate on %s: %w", r.engine.Name(), err)
	}
	defer instance.Close()
	got := &run{}
	for _, name := range wasmgen.Exports() {
		export, ok := module.Export(name)
		if !ok || export.Kind != meter.KindFunc {
			continue
		}
		var results []uint64
		if results, err = instance.Call(name, arguments(name, export.Type.Params)...); err != nil {
			break
		}
		got.results = append(got.results, slices.Clone(results))
	}
	outcome := instance.Outcome(err)
	got.class, got.code, got.fuel, got.text = outcome.Class, outcome.Code, outcome.Fuel, outcome.Text
	if r.origins != nil {
		got.trace, got.more = places(module, r.origins, instance.Trace())
	}
	got.log = w.log
	got.remember(instance.Memory())
	for _, global := range module.Globals {
		for _, name := range global.Exports {
			got.globals = append(got.globals, r.engine.cell.Global(name))
		}
	}
	return got, nil
}

func valTypes(types []wasmgen.ValType) []meter.ValType {
	var all []meter.ValType
	for _, t := range types {
		all = append(all, meter.ValType(t))
	}
	return all
}
