// Package machinetest is the conformance kit of engines: what every
// machine.Engine must do, alike, for the determinism contract to hold. An
// engine's own tests call Run.
package machinetest

import (
	"context"
	"errors"
	"testing"

	"carrel/machine"
	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
	"carrel/turn"
)

// FramesOfInterpreter is how deep wazero's interpreter goes, whatever we say.
// Beyond it an engine of the name "interpreter" may answer Worker, "cannot",
// and only that.
const FramesOfInterpreter = 2000

// Run holds an engine to the contract. New makes one; Run closes it.
func Run(t *testing.T, New func(t testing.TB) machine.Engine) {
	engine := New(t)
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Errorf("close engine: %v", err)
		}
	})
	k := kit{engine}
	for _, test := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"Values", k.values},
		{"Steps", k.steps},
		{"Classes", k.classes},
		{"Imports", k.imports},
		{"Fuel", k.fuel},
		{"FuelOfBulk", k.fuelOfBulk},
		{"FuelOfCalls", k.fuelOfCalls},
		{"FuelOfReturns", k.fuelOfReturns},
		{"Depth", k.depth},
		{"Frames", k.frames},
		{"Reentry", k.reentry},
		{"ReentryDepth", k.reentryDepth},
		{"ReentryFuel", k.reentryFuel},
		{"ReentryFault", k.reentryFault},
		{"Memory", k.memory},
		{"Beyond", k.beyond},
		{"MemoryLimit", k.memoryLimit},
		{"HostGrows", k.hostGrows},
		{"Floats", k.floats},
		{"Stop", k.stop},
		{"HostErrors", k.hostErrors},
		{"HostPanic", k.hostPanic},
		{"Unwind", k.unwind},
		{"Jump", k.jump},
		{"JumpTypes", k.jumpTypes},
		{"JumpFuel", k.jumpFuel},
		{"JumpEnds", k.jumpEnds},
		{"JumpImports", k.jumpImports},
		{"JumpImages", k.jumpImages},
		{"Traces", k.traces},
		{"Images", k.images},
		{"ImageFuel", k.imageFuel},
		{"Rollback", k.rollback},
		{"Exits", k.exits},
		{"NotAtRest", k.notAtRest},
		{"NotImageable", k.notImageable},
		{"Misfits", k.misfits},
		{"Unverified", k.unverified},
		{"Independent", k.independent},
		{"Concurrent", k.concurrent},
	} {
		t.Run(test.name, test.run)
	}
}

type kit struct{ engine machine.Engine }

// plenty is more than any case needs that ends by itself.
var plenty = turn.Limits{Fuel: 1 << 40, MemoryPages: 256}

// compile is a program that the caller closes.
func (k kit) compile(t testing.TB, m *wasmgen.Module) *machine.Program {
	t.Helper()
	program, err := machine.Load(context.Background(), k.engine, m.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return program
}

func (k kit) load(t testing.TB, m *wasmgen.Module) *machine.Program {
	t.Helper()
	program := k.compile(t, m)
	t.Cleanup(func() {
		if err := program.Close(); err != nil {
			t.Errorf("close program: %v", err)
		}
	})
	return program
}

func (k kit) instance(t testing.TB, m *wasmgen.Module, limits turn.Limits, imports machine.Imports) *machine.Instance {
	t.Helper()
	return start(t, k.load(t, m), limits, imports)
}

func start(t testing.TB, program *machine.Program, limits turn.Limits, imports machine.Imports) *machine.Instance {
	t.Helper()
	i, err := program.Instantiate(limits, imports)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Errorf("close instance: %v", err)
		}
	})
	return i
}

// class is how a call ended.
func class(t testing.TB, err error) turn.Class {
	t.Helper()
	if err == nil {
		return turn.Exit
	}
	fault := (*machine.Fault)(nil)
	if !errors.As(err, &fault) {
		t.Fatalf("%v is no fault", err)
	}
	return fault.Class
}

// cannot reports whether the engine may answer Worker to so many frames.
func (k kit) cannot(frames int) bool {
	return k.engine.Name() == "interpreter" && frames >= FramesOfInterpreter
}

// single is a module with one exported function "run".
func single(params, results []wasmgen.ValType, code string) *wasmgen.Module {
	m := wasmgen.NewModule()
	m.Memory(1, 16)
	f := m.Func(params, results)
	f.Code(code)
	m.Export("run", f)
	return m
}

func hostImport(params, results []meter.ValType, call machine.HostFunc) machine.HostImport {
	return machine.HostImport{Type: meter.FuncType{Params: params, Results: results}, Call: call}
}
