package machinetest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"carrel/machine"
	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
	"carrel/turn"
)

func itoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// faulty is a module with a memory of one page that may not grow, a table of
// four entries of which the first holds a function and the second one of
// another type, a passive data segment of 4 bytes, a passive element segment of
// one, and the exported function "run" with the given code.
func faulty(code string) *wasmgen.Module {
	m := wasmgen.NewModule()
	m.ImportFunc("env", "end", nil, nil)
	m.Memory(1, 1)
	m.Table(wasmgen.FuncRef, 4, 4)
	nothing := m.Func(nil, nil)
	other := m.Func(types(i32), types(i32))
	other.Code("local.get 0")
	f := m.Func(nil, nil)
	f.Code(code)
	m.Export("run", f)
	m.Elem(0, wasmgen.Const("i32.const 0"), nothing.Index, other.Index)
	m.ElemPassive(nothing.Index)
	m.DataPassive([]byte{1, 2, 3, 4})
	return m
}

// classes: every way to fault has its class, and the instance is dead after it.
func (k kit) classes(t *testing.T) {
	nothing := "call_indirect " + itoa(faulty("").Type(nil, nil)) + " 0"
	for _, test := range []struct {
		name, code string
		want       turn.Class
	}{
		{"nothing", "", turn.Exit},
		{"exit", "call 0; unreachable", turn.Exit},
		{"unreachable", "unreachable", turn.Unreachable},
		{"load", "i32.const 65533; i32.load; drop", turn.Memory},
		{"load at the end", "i32.const 65532; i32.load; drop", turn.Exit},
		{"load far away", "i32.const -1; i64.load 4294967295; drop", turn.Memory},
		{"load of a vector", "i32.const 65521; v128.load; drop", turn.Memory},
		{"store", "i32.const 65536; i32.const 1; i32.store8", turn.Memory},
		{"memory.fill", "i32.const 65536; i32.const 1; i32.const 1; memory.fill", turn.Memory},
		{"memory.fill of nothing at the end", "i32.const 65536; i32.const 1; i32.const 0; memory.fill", turn.Exit},
		{"memory.fill of nothing beyond", "i32.const 65537; i32.const 1; i32.const 0; memory.fill", turn.Memory},
		{"memory.copy", "i32.const 0; i32.const 65535; i32.const 2; memory.copy", turn.Memory},
		{"memory.init", "i32.const 0; i32.const 1; i32.const 4; memory.init 0", turn.Memory},
		{"memory.init after data.drop", "data.drop 0; i32.const 0; i32.const 0; i32.const 1; memory.init 0", turn.Memory},
		{"memory.init of nothing after data.drop", "data.drop 0; i32.const 0; i32.const 0; i32.const 0; memory.init 0", turn.Exit},
		{"call_indirect", "i32.const 0; " + nothing, turn.Exit},
		{"call_indirect of another type", "i32.const 1; " + nothing, turn.Table},
		{"call_indirect of null", "i32.const 2; " + nothing, turn.Table},
		{"call_indirect beyond the table", "i32.const 4; " + nothing, turn.Table},
		{"call_indirect far away", "i32.const -1; " + nothing, turn.Table},
		{"table.get", "i32.const 4; table.get 0; drop", turn.Table},
		{"table.set", "i32.const 4; i32.const 0; table.get 0; table.set 0", turn.Table},
		{"table.fill", "i32.const 3; i32.const 0; table.get 0; i32.const 2; table.fill 0", turn.Table},
		{"table.copy", "i32.const 3; i32.const 0; i32.const 2; table.copy 0 0", turn.Table},
		{"table.init", "i32.const 0; i32.const 0; i32.const 2; table.init 1 0", turn.Table},
		{"table.init after elem.drop", "elem.drop 1; i32.const 0; i32.const 0; i32.const 1; table.init 1 0", turn.Table},
		{"i32.div_s", "i32.const 1; i32.const 0; i32.div_s; drop", turn.Divide},
		{"i32.rem_u", "i32.const 1; i32.const 0; i32.rem_u; drop", turn.Divide},
		{"i64.div_u", "i64.const 1; i64.const 0; i64.div_u; drop", turn.Divide},
		{"i64.rem_s", "i64.const 1; i64.const 0; i64.rem_s; drop", turn.Divide},
		{"i32.div_s of the least", "i32.const -2147483648; i32.const -1; i32.div_s; drop", turn.Overflow},
		{"i64.div_s of the least", "i64.const -9223372036854775808; i64.const -1; i64.div_s; drop", turn.Overflow},
		{"i32.rem_s of the least", "i32.const -2147483648; i32.const -1; i32.rem_s; drop", turn.Exit},
		{"i32.trunc_f32_s of a NaN", "f32.const 0x7fc00000; i32.trunc_f32_s; drop", turn.Conversion},
		{"i64.trunc_f64_u of a NaN", "f64.const 0x7ff8000000000000; i64.trunc_f64_u; drop", turn.Conversion},
		{"i32.trunc_f64_s too large", "f64.const 2147483648; i32.trunc_f64_s; drop", turn.Overflow},
		{"i64.trunc_f32_u too small", "f32.const -1; i64.trunc_f32_u; drop", turn.Overflow},
		{"i32.trunc_sat_f64_s", "f64.const 0x7ff8000000000000; i32.trunc_sat_f64_s; drop", turn.Exit},
		{"a loop without end", "loop; br 0; end", turn.Fuel},
		{"a loop that fills", "loop; i32.const 0; i32.const 0; i32.const 65536; memory.fill; br 0; end", turn.Fuel},
		{"memory.fill that costs too much", "i32.const 0; i32.const 1; i32.const -1; memory.fill", turn.Fuel},
		{"recursion without end", "call 3", turn.Depth},
	} {
		t.Run(test.name, func(t *testing.T) {
			limits := turn.Limits{Fuel: 3 * meter.Slice, MemoryPages: 16}
			i := k.instance(t, faulty(test.code), limits, machine.Imports{
				{"env", "end"}: hostImport(nil, nil, func(*machine.Instance, []uint64) error { return machine.Exit(3) }),
			})
			_, err := i.Call("run")
			got := class(t, err)
			if test.want == turn.Depth && k.cannot(math.MaxInt) && got == turn.Worker {
				return
			}
			if got != test.want {
				t.Fatalf("%v, want %v", err, test.want)
			}
			outcome := i.Outcome(err)
			if outcome.Class != test.want {
				t.Errorf("outcome is %v, want %v", outcome.Class, test.want)
			}
			if used := outcome.Fuel == limits.Fuel; used != test.want.Faulted() {
				t.Errorf("%d units of %d used: a fault takes all, an exit what it used", outcome.Fuel, limits.Fuel)
			}
			if err == nil {
				return
			}
			if _, again := i.Call("run"); again != err {
				t.Errorf("a dead instance answered %v, not %v again", again, err)
			}
		})
	}
	t.Run("data segment outside", func(t *testing.T) {
		m := faulty("")
		m.Data(wasmgen.Const("i32.const 65533"), []byte{1, 2, 3, 4})
		k.wantStart(t, m, turn.Memory)
	})
	t.Run("element segment outside", func(t *testing.T) {
		m := faulty("")
		m.Elem(0, wasmgen.Const("i32.const 4"), 1)
		k.wantStart(t, m, turn.Table)
	})
	t.Run("start function", func(t *testing.T) {
		m := faulty("i32.const 0; i32.const 0; i32.div_u; drop")
		m.Start(3)
		k.wantStart(t, m, turn.Divide)
	})
	t.Run("no such export", func(t *testing.T) {
		i := k.instance(t, faulty(""), plenty, endless)
		if _, err := i.Call("walk"); class(t, err) != turn.Refused {
			t.Errorf("%v, want refused", err)
		}
	})
	t.Run("no such import", func(t *testing.T) {
		_, err := k.load(t, faulty("")).Instantiate(plenty, nil)
		if refusal := (*meter.Refusal)(nil); !errors.As(err, &refusal) {
			t.Errorf("%v, want a refusal", err)
		}
	})
}

// imports: whatever a valid program imports, and by whatever names, it is only
// refused when nobody offers it.
func (k kit) imports(t *testing.T) {
	nothing := hostImport(nil, nil, func(*machine.Instance, []uint64) error { return nil })
	for _, test := range []struct{ module, name string }{
		{"env", "f"}, {"env", ""}, {"wasi", "\u00e9\n"}, {" ", " "}, {"host", "refuel"},
	} {
		m := wasmgen.NewModule()
		for range 2 {
			m.ImportFunc(test.module, test.name, nil, nil)
		}
		f := m.Func(nil, nil)
		f.Code("call 0; call 1")
		m.Export("run", f)
		i := k.instance(t, m, plenty, machine.Imports{{test.module, test.name}: nothing})
		if _, err := i.Call("run"); err != nil {
			t.Errorf("%q.%q: %v", test.module, test.name, err)
		}
	}
	for _, of := range []wasmgen.ValType{i32, i64, f32, f64, v128, wasmgen.FuncRef, wasmgen.ExternRef} {
		m := wasmgen.NewModule()
		m.ImportFunc("env", "f", types(of), types(of, of))
		_, err := k.load(t, m).Instantiate(plenty, machine.Imports{{"env", "f"}: nothing})
		if refusal := (*meter.Refusal)(nil); !errors.As(err, &refusal) {
			t.Errorf("an import of %v that nobody offers: %v, want a refusal", of, err)
		}
	}
	m := wasmgen.NewModule()
	m.ImportFunc("env", "f", nil, nil)
	m.ImportFunc("env", "f", types(i32), nil)
	if _, err := meter.Rewrite(m.Bytes()); err == nil {
		t.Error("a program that imports a function as two types is accepted")
	}
	m = wasmgen.NewModule()
	m.ImportFunc("", "f", nil, nil)
	if _, err := meter.Rewrite(m.Bytes()); err == nil {
		t.Error("a program that imports from a module without a name is accepted")
	}
}

// endless serves the import of faulty, for those that do not call it.
var endless = machine.Imports{{"env", "end"}: hostImport(nil, nil, func(*machine.Instance, []uint64) error { return nil })}

func (k kit) wantStart(t *testing.T, m *wasmgen.Module, want turn.Class) {
	t.Helper()
	i := k.instance(t, m, plenty, endless)
	if _, err := i.Call("run"); class(t, err) != want {
		t.Errorf("%v, want %v", err, want)
	}
}

// busy does a little of everything that is charged.
func busy() *wasmgen.Module {
	m := wasmgen.NewModule()
	m.ImportFunc("env", "move", types(i32), types(i32))
	m.Memory(1, 3)
	m.Table(wasmgen.FuncRef, 2, 2)
	twice := m.Func(types(i32), types(i32))
	twice.Code("local.get 0; i32.const 2; i32.mul")
	f := m.Func(types(i32), types(i32))
	f.Local(i32)
	f.Code(`
		loop
			local.get 1; i32.const 0; call_indirect ` + itoa(m.Type(types(i32), types(i32))) + ` 0
			local.get 0; i32.add; local.set 1
			local.get 1; i32.const 1; i32.and
			if
				i32.const 64; local.get 1; i32.const 100; memory.fill
			else
				local.get 1; call 0; local.set 1
			end
			local.get 0; i32.const 1; i32.sub; local.tee 0
			br_if 0
		end
		i32.const 1; memory.grow; drop
		i32.const 65536; local.get 1; i32.store
		local.get 1
	`)
	m.Export("run", f)
	m.Elem(0, wasmgen.Const("i32.const 0"), twice.Index)
	m.Data(wasmgen.Const("i32.const 0"), make([]byte, 40))
	return m
}

var mover = machine.Imports{
	{"env", "move"}: hostImport([]meter.ValType{meter.I32}, []meter.ValType{meter.I32}, func(i *machine.Instance, stack []uint64) error {
		stack[0]++
		return i.ChargeBytes(24)
	}),
}

// fuel: a program that uses T runs out at every limit below T, and ends alike
// at T and above.
func (k kit) fuel(t *testing.T) {
	program := k.load(t, busy())
	run := func(fuel uint64) turn.Outcome {
		i, err := program.Instantiate(turn.Limits{Fuel: fuel, MemoryPages: 3}, mover)
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		_, err = i.Call("run", 6)
		return i.Outcome(err)
	}
	total := run(1 << 40)
	if total.Class != turn.Exit {
		t.Fatalf("%v: %s", total.Class, total.Text)
	}
	if total.Fuel < 1000 || total.Fuel > 100_000 {
		t.Errorf("the program uses %d units: too few or too many to try them all", total.Fuel)
	}
	for fuel := uint64(0); fuel < total.Fuel; fuel++ {
		if got := run(fuel); got.Class != turn.Fuel || got.Fuel != fuel {
			t.Fatalf("with %d of %d units: %v, %d used", fuel, total.Fuel, got.Class, got.Fuel)
		}
	}
	for _, more := range []uint64{0, 1, 2, 1000, meter.Slice, 1 << 50, turn.FuelMax} {
		if got := run(total.Fuel + more); got.Class != turn.Exit || got.Fuel != total.Fuel {
			t.Errorf("with %d units more than needed: %v, %d used of %d", more, got.Class, got.Fuel, total.Fuel)
		}
	}
	t.Logf("%d units", total.Fuel)
}

// fuelOfBulk: what a bulk instruction costs is taken before it runs.
func (k kit) fuelOfBulk(t *testing.T) {
	const size = 200 << 16
	m := wasmgen.NewModule()
	m.Memory(200, 200)
	f := m.Func(nil, nil)
	f.Code(fmt.Sprintf("i32.const 0; i32.const 1; i32.const %d; memory.fill", size))
	m.Export("run", f)
	program := k.load(t, m)
	short := start(t, program, turn.Limits{Fuel: meter.BulkBytesCost(size) - 1, MemoryPages: 200}, nil)
	if _, err := short.Call("run"); class(t, err) != turn.Fuel {
		t.Errorf("%v, want fuel", err)
	}
	if short.Memory()[0] != 0 {
		t.Error("memory was filled before it was paid for")
	}
	enough := start(t, program, turn.Limits{Fuel: meter.BulkBytesCost(size) + 100, MemoryPages: 200}, nil)
	if _, err := enough.Call("run"); err != nil {
		t.Error(err)
	}
	if memory := enough.Memory(); memory[0] != 1 || memory[size-1] != 1 {
		t.Error("memory was not filled")
	}
}

// fuelOfCalls: calls alone, without loop or recursion, can be without end for
// all who wait for it; they stop when their fuel is used up.
func (k kit) fuelOfCalls(t *testing.T) {
	for _, way := range []string{"direct", "indirect"} {
		t.Run(way, func(t *testing.T) {
			m := wasmgen.NewModule()
			const functions = 100
			m.Table(wasmgen.FuncRef, functions, functions)
			for n := range functions {
				// Of a type of its own: else an indirect call could be recursive.
				f := m.Func(slices.Repeat(types(i32), n), nil)
				m.Elem(0, wasmgen.Const(fmt.Sprintf("i32.const %d", n)), f.Index)
				if n == functions-1 {
					continue
				}
				for range 2 {
					for range n + 1 {
						f.Code("i32.const 0")
					}
					if way == "direct" {
						f.Op("call", int64(n+1))
					} else {
						f.Op("i32.const", int64(n+1))
						f.Op("call_indirect", int64(m.Type(slices.Repeat(types(i32), n+1), nil)), 0)
					}
				}
			}
			m.ExportIndex("run", wasmgen.KindFunc, 0)
			for _, fuel := range []uint64{1000, 1_000_000} {
				i := k.instance(t, m, turn.Limits{Fuel: fuel, MemoryPages: 1}, nil)
				if _, err := i.Call("run"); class(t, err) != turn.Fuel {
					t.Errorf("%v, want fuel", err)
				}
			}
		})
	}
}

// fuelOfReturns: what deep recursion does on its way back stops as well when the
// fuel is used up.
func (k kit) fuelOfReturns(t *testing.T) {
	const deep, calls, leafCost, limit = 1500, 100, 3000, 1_000_000
	m := wasmgen.NewModule()
	m.Memory(1, 1)
	leaf := m.Func(nil, nil)
	leaf.Code("i32.const 0; i32.const 0; i32.load; i32.const 1; i32.add; i32.store")
	leaf.Code(strings.Repeat("i32.const 0; drop\n", leafCost/2))
	run := m.Func(types(i32), nil)
	run.Code("local.get 0; if; local.get 0; i32.const 1; i32.sub; call " + itoa(run.Index) + "; end")
	run.Code(strings.Repeat("call "+itoa(leaf.Index)+"\n", calls))
	m.Export("run", run)
	i := k.instance(t, m, turn.Limits{Fuel: limit, MemoryPages: 1}, nil)
	if _, err := i.Call("run", deep); class(t, err) != turn.Fuel {
		t.Errorf("%v, want fuel", err)
	}
	if ran := binary.LittleEndian.Uint32(i.Memory()); ran*leafCost > 2*limit {
		t.Errorf("a function of %d units ran %d times with a limit of %d", leafCost, ran, limit)
	}
}

// stop: an endless guest ends when another goroutine says so, with class
// stopped, which is no result.
func (k kit) stop(t *testing.T) {
	i := k.instance(t, single(nil, nil, "loop; br 0; end"), turn.Limits{Fuel: turn.FuelMax, MemoryPages: 1}, nil)
	go i.Stop()
	_, err := i.Call("run")
	if got := class(t, err); got != turn.Stopped {
		t.Errorf("%v, want stopped", err)
	}
	if outcome := i.Outcome(err); outcome.Class.Result() {
		t.Errorf("%v is a result", outcome.Class)
	}
}
