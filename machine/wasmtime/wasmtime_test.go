//go:build wasmtime && cgo

package wasmtime

import (
	"context"
	"errors"
	"testing"

	"carrel/machine"
	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
	"carrel/turn"
)

// hello is a metered module by hand: run(i32)->i32 calls env.f and traps if
// that gives 0.
var hello = func() *meter.Module {
	m := wasmgen.NewModule()
	i32, i64 := wasmgen.Types(wasmgen.I32), wasmgen.Types(wasmgen.I64)
	m.ImportFunc("env", "f", i32, i32)
	m.ImportFunc(meter.RefuelModule, meter.RefuelName, wasmgen.Types(wasmgen.I64, wasmgen.I64), i64)
	m.Memory(2, 2)
	m.ExportIndex(meter.MemoryExport, wasmgen.KindMemory, 0)
	m.ExportIndex(meter.FuelGlobal, wasmgen.KindGlobal, m.Global(wasmgen.I64, true, wasmgen.Const("i64.const 7")))
	f := m.Func(i32, i32)
	f.Code("local.get 0; call 0; local.tee 0; i32.eqz; if; unreachable; end; local.get 0")
	m.Export("run", f)
	return &meter.Module{
		Wasm:    m.Bytes(),
		Imports: []meter.Import{{Module: "env", Name: "f", Type: meter.FuncType{Params: []meter.ValType{meter.I32}, Results: []meter.ValType{meter.I32}}}},
		Exports: []meter.Export{{Name: "run", Type: meter.FuncType{Params: []meter.ValType{meter.I32}, Results: []meter.ValType{meter.I32}}}},
		Memory:  &meter.Memory{Min: 2, Max: 2},
	}
}()

type hostFn func(index int, stack []uint64) error

func (f hostFn) Import(index int, stack []uint64) error { return f(index, stack) }

func engines(t testing.TB) []machine.Engine {
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return []machine.Engine{e}
}

func TestCell(t *testing.T) {
	for _, e := range engines(t) {
		t.Run(e.Name(), func(t *testing.T) {
			code, err := e.Compile(context.Background(), hello)
			if err != nil {
				t.Fatal(err)
			}
			mine := errors.New("mine")
			cell, err := code.Instantiate(hostFn(func(_ int, stack []uint64) error {
				if uint32(stack[0]) == 13 {
					return mine
				}
				stack[0]--
				return nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			stack := []uint64{9}
			if err := cell.Invoke("run", stack); err != nil || uint32(stack[0]) != 8 {
				t.Errorf("run(9) = %d, %v", stack[0], err)
			}
			trap := (*machine.Trap)(nil)
			if err := cell.Invoke("run", []uint64{1}); !errors.As(err, &trap) || trap.Class != turn.Unreachable {
				t.Errorf("run(1): %v", err)
			}
			if err := cell.Invoke("run", []uint64{13}); !errors.Is(err, mine) {
				t.Errorf("run(13): %v", err)
			}
			if cell.SetGlobal("carrel:fuel", 99); cell.Global("carrel:fuel") != 99 || len(cell.Memory()) != 2<<16 {
				t.Errorf("fuel is %d, memory %d bytes", cell.Global("carrel:fuel"), len(cell.Memory()))
			}
			if err := errors.Join(cell.Close(), code.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}

func BenchmarkInstance(b *testing.B) {
	for _, e := range engines(b) {
		b.Run(e.Name(), func(b *testing.B) {
			code, err := e.Compile(context.Background(), hello)
			if err != nil {
				b.Fatal(err)
			}
			host := hostFn(func(int, []uint64) error { return nil })
			b.ReportAllocs()
			for b.Loop() {
				cell, err := code.Instantiate(host)
				if err != nil {
					b.Fatal(err)
				}
				if err := cell.Invoke("run", []uint64{3}); err != nil {
					b.Fatal(err)
				}
				cell.Close()
			}
		})
	}
}

func BenchmarkUnwind(b *testing.B) {
	code, err := engines(b)[0].Compile(context.Background(), hello)
	if err != nil {
		b.Fatal(err)
	}
	mine := errors.New("mine")
	host := hostFn(func(int, []uint64) error { return mine })
	cell, err := code.Instantiate(host)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := cell.Invoke("run", []uint64{3}); err == nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHostCall(b *testing.B) {
	code, err := engines(b)[0].Compile(context.Background(), hello)
	if err != nil {
		b.Fatal(err)
	}
	host := hostFn(func(int, []uint64) error { return nil })
	cell, err := code.Instantiate(host)
	if err != nil {
		b.Fatal(err)
	}
	stack := []uint64{3}
	for b.Loop() {
		if err := cell.Invoke("run", stack); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	e := engines(b)[0]
	for b.Loop() {
		code, err := e.Compile(context.Background(), hello)
		if err != nil {
			b.Fatal(err)
		}
		code.Close()
	}
}
