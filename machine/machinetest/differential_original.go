package machinetest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
	"carrel/turn"
)

// pagesLimit is the limit of linear memory in differential runs.
const pagesLimit = 64

// A bare guest is a module as it was written, in wazero.
type bare struct{ module api.Module }

func (b bare) Memory() []byte {
	if len(b.module.ExportedMemoryDefinitions()) == 0 {
		return nil
	}
	memory, _ := b.module.Memory().Read(0, b.module.Memory().Size())
	return memory
}

func (b bare) Call(export string, args ...uint64) ([]uint64, error) {
	return b.module.ExportedFunction(export).Call(context.Background(), args...)
}

func (b bare) Has(export string) bool    { return b.module.ExportedFunction(export) != nil }
func (b bare) Charge(units uint64) error { return nil }

// original runs a module as it was written, without fuel and limits of ours. It
// must come to an end by itself (wasmgen.Options.Bounded).
func original(wasm []byte, config wazero.RuntimeConfig) (*run, error) {
	ctx := context.Background()
	runtime := wazero.NewRuntimeWithConfig(ctx, config.
		WithCoreFeatures(api.CoreFeaturesV2|experimental.CoreFeaturesExtendedConst).
		WithMemoryLimitPages(pagesLimit))
	defer runtime.Close(ctx)
	w := &world{}
	if err := w.serve(ctx, runtime); err != nil {
		return nil, err
	}
	compiled, err := runtime.CompileModule(ctx, wasm)
	if err != nil {
		return nil, fmt.Errorf("compile the original: %w", err)
	}
	r := &run{}
	module, err := runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		r.class, r.code = bareClass(err)
		r.log, r.text = w.log, err.Error()
		return r, nil
	}
	for _, name := range wasmgen.Exports() {
		f := module.ExportedFunction(name)
		if f == nil {
			continue
		}
		results, err := f.Call(ctx, arguments(name, meterTypes(f.Definition().ParamTypes()))...)
		if err != nil {
			r.class, r.code = bareClass(err)
			r.text = err.Error()
			break
		}
		canonicalNaNs(results, genTypes(f.Definition().ResultTypes()))
		r.results = append(r.results, results)
	}
	r.log = w.log
	r.instantiated = true
	memory := bare{module}.Memory()
	r.remember(memory)
	if count := module.ExportedGlobal(wasmgen.CountExport); count != nil {
		r.fuel = w.total(count.Get(), pages(memory))
	}
	return r, nil
}

// serve offers the world's imports to modules of a runtime.
func (w *world) serve(ctx context.Context, runtime wazero.Runtime) error {
	host := runtime.NewHostModuleBuilder("env")
	for _, im := range wasmgen.Imports {
		serve := func(_ context.Context, module api.Module, stack []uint64) {
			canonicalNaNs(stack, im.Params)
			if err := w.call(bare{module}, im, stack); err != nil {
				panic(err)
			}
			canonicalNaNs(stack, im.Results)
		}
		host.NewFunctionBuilder().
			WithGoModuleFunction(api.GoModuleFunc(serve), bareTypes(im.Params), bareTypes(im.Results)).
			Export(im.Name)
	}
	_, err := host.Instantiate(ctx)
	return err
}

func bareTypes(types []wasmgen.ValType) []api.ValueType {
	var all []api.ValueType
	for _, t := range types {
		all = append(all, api.ValueType(t))
	}
	return all
}

func meterTypes(types []api.ValueType) []meter.ValType {
	var all []meter.ValType
	for _, t := range types {
		all = append(all, meter.ValType(t))
	}
	return all
}

func genTypes(types []api.ValueType) []wasmgen.ValType {
	var all []wasmgen.ValType
	for _, t := range types {
		all = append(all, wasmgen.ValType(t))
	}
	return all
}

// bareClasses are wazero's words for each trap.
var bareClasses = map[string]turn.Class{
	"unreachable":                   turn.Unreachable,
	"out of bounds memory access":   turn.Memory,
	"invalid table access":          turn.Table,
	"indirect call type mismatch":   turn.Table,
	"integer divide by zero":        turn.Divide,
	"integer overflow":              turn.Overflow,
	"invalid conversion to integer": turn.Conversion,
	"stack overflow":                turn.Depth,
}

// bareClass says what ended a call of an original.
func bareClass(err error) (turn.Class, uint32) {
	if exit := (errExit{}); errors.As(err, &exit) {
		return turn.Exit, exit.code
	}
	if exit := (*sys.ExitError)(nil); errors.As(err, &exit) {
		return turn.Worker, exit.ExitCode()
	}
	for next := err; next != nil; next = errors.Unwrap(next) {
		if class, ok := bareClasses[next.Error()]; ok {
			return class, 0
		}
	}
	if text := err.Error(); strings.HasSuffix(text, ": out of bounds memory access") {
		return turn.Memory, 0 // an active segment
	} else if strings.HasSuffix(text, "table access") {
		return turn.Table, 0
	}
	return turn.Worker, 0
}
