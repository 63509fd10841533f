package machinetest

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"carrel/machine"
	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
	"carrel/turn"
)

// recursive is a module whose function run(n) calls itself n deep and gives n.
// Each frame has so many locals, all of them alive over the call.
func recursive(locals int) *wasmgen.Module {
	m := wasmgen.NewModule()
	f := m.Func(types(i32), types(i32))
	for n := range locals {
		f.Local(i64)
		f.Code(fmt.Sprintf("local.get 0; i64.extend_i32_u; i64.const %d; i64.add; local.set %d", n, n+1))
	}
	f.Code(`
		local.get 0
		i32.eqz
		if; i32.const 0; return; end
		local.get 0; i32.const 1; i32.sub; call 0
		i32.const 1; i32.add
	`)
	for n := range locals { // adds what is the same everywhere, and takes it off again
		f.Code(fmt.Sprintf("local.get %d; i64.const %d; i64.sub; i32.wrap_i64; i32.add; local.get 0; i32.sub", n+1, n))
	}
	m.Export("run", f)
	return m
}

// depth: recursion without end is stopped by our limit, not by the engine's,
// whatever the size of a frame; 30,000 small frames have room.
func (k kit) depth(t *testing.T) {
	for _, locals := range []int{0, 1, 10, 100, 2000} {
		t.Run(fmt.Sprintf("locals=%d", locals), func(t *testing.T) {
			program := k.load(t, recursive(locals))
			i := start(t, program, plenty, nil)
			_, err := i.Call("run", math.MaxUint32)
			if got := class(t, err); got != turn.Depth && !(k.cannot(math.MaxInt) && got == turn.Worker) {
				t.Errorf("%v, want depth", err)
			}
			deepest := k.deepest(t, program)
			t.Logf("%d frames", deepest)
			if locals <= 1 && deepest < 30_000 && !k.cannot(math.MaxInt) {
				t.Errorf("only %d small frames have room", deepest)
			}
		})
	}
}

// deepest is how deep run can go. One frame more must fault.
func (k kit) deepest(t *testing.T, program *machine.Program) int {
	ok := func(n int) bool {
		i, err := program.Instantiate(plenty, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		got, err := i.Call("run", uint64(n))
		if err == nil && got[0] != uint64(n) {
			t.Fatalf("run(%d) gave %d", n, got[0])
		}
		return err == nil
	}
	low, high := 0, 1<<20
	for low+1 < high {
		if middle := (low + high) / 2; ok(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// frames: other shapes of deep stacks: through a table, in a circle, with much
// on the operand stack, with vectors.
func (k kit) frames(t *testing.T) {
	indirect := wasmgen.NewModule()
	indirect.Table(wasmgen.FuncRef, 1, 1)
	f := indirect.Func(types(i32), types(i32))
	f.Code("local.get 0; i32.const 0; call_indirect " + itoa(indirect.Type(types(i32), types(i32))) + " 0; i32.const 1; i32.add")
	indirect.Export("run", f)
	indirect.Elem(0, wasmgen.Const("i32.const 0"), 0)

	circle := wasmgen.NewModule()
	for n := range 3 {
		f := circle.Func(types(i32), types(i32))
		f.Code(fmt.Sprintf("local.get 0; call %d; i32.const %d; i32.xor", (n+1)%3, n))
	}
	circle.ExportIndex("run", wasmgen.KindFunc, 0)

	operands := wasmgen.NewModule()
	f = operands.Func(types(i32), types(i32))
	for n := range 300 {
		f.Code(fmt.Sprintf("local.get 0; i32.const %d; i32.mul", n))
	}
	f.Code("local.get 0; call 0")
	for range 300 {
		f.Code("i32.xor")
	}
	operands.Export("run", f)

	vectors := wasmgen.NewModule()
	f = vectors.Func(types(v128), types(v128))
	for n := range 50 {
		f.Code(fmt.Sprintf("local.get 0; v128.const %d 7; i64x2.add", n))
	}
	f.Code("local.get 0; call 0")
	for range 50 {
		f.Code("v128.xor")
	}
	vectors.Export("inner", f)
	run := vectors.Func(types(i32), types(i32))
	run.Code("local.get 0; i32x4.splat; call 0; i32x4.extract_lane 0")
	vectors.Export("run", run)

	// Values that live over a call take a place each on some engines, however
	// few of them live at once.
	long := wasmgen.NewModule()
	long.Memory(1, 1)
	f = long.Func(types(i32), types(i32))
	leaf := long.Func(types(i32), types(i32))
	leaf.Code("i32.const 0; local.get 0; i32.store; local.get 0")
	for n := range 300 {
		f.Code(fmt.Sprintf("i32.const %d; i32.load; local.get 0; call 1; i32.add; local.set 0", 4*n))
	}
	f.Code("local.get 0; call 0")
	long.Export("run", f)

	wide := wasmgen.NewModule()
	many := slices.Repeat(types(i64), 100)
	f = wide.Func(many, many)
	for n := range many {
		f.Op("local.get", int64(n))
	}
	f.Code("call 0")
	run = wide.Func(types(i32), types(i32))
	for range many {
		run.Code("i64.const 1")
	}
	run.Code("call 0")
	for range 99 {
		run.Code("i64.add")
	}
	run.Code("i32.wrap_i64")
	wide.Export("run", run)

	for _, test := range []struct {
		name   string
		module *wasmgen.Module
	}{
		{"indirect", indirect}, {"circle", circle}, {"operands", operands}, {"vectors", vectors}, {"long", long}, {"wide", wide},
		{"circles", circles()},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := k.instance(t, test.module, plenty, nil)
			_, err := i.Call("run", 1)
			if got := class(t, err); got != turn.Depth && !(k.cannot(math.MaxInt) && got == turn.Worker) {
				t.Errorf("%v, want depth", err)
			}
		})
	}
}

// circles is a module of forty circles of large functions. Its run(n) goes
// through most of the first one, from there into the next, and so on, and never
// twice through the same function.
func circles() *wasmgen.Module {
	const n, size, locals = 40, 10, 15_000
	m := wasmgen.NewModule()
	for circle := range n {
		first := circle * size
		for member := range size {
			f := m.Func(types(i32), types(i32))
			for range locals {
				f.Local(i64)
			}
			switch {
			case member == size-1: // back to the two first, if this ran
				f.Code(fmt.Sprintf("local.get 0; call %d; call %d", first, first+1))
			case member == size-2 && circle < n-1: // … or on
				f.Code(fmt.Sprintf("local.get 0; i32.eqz; if i32; local.get 0; call %d; else; local.get 0; call %d; end", first+size-1, first+size+2))
			case member == size-2:
				f.Code("local.get 0")
			default:
				f.Code(fmt.Sprintf("local.get 0; call %d", first+member+1))
			}
		}
	}
	m.ExportIndex("run", wasmgen.KindFunc, 2)
	return m
}

// again is a module whose run(n) calls the host n times deep; the host calls
// run again. dive(d, n) is the same from under d frames.
func again() (*wasmgen.Module, machine.Imports) {
	m := wasmgen.NewModule()
	m.ImportFunc("env", "again", types(i32), types(i32))
	run := m.Func(types(i32), types(i32))
	run.Code("local.get 0; i32.eqz; if; i32.const 0; return; end; local.get 0; i32.const 1; i32.sub; call 0; i32.const 1; i32.add")
	m.Export("run", run)
	return m, machine.Imports{
		{"env", "again"}: hostImport([]meter.ValType{meter.I32}, []meter.ValType{meter.I32}, func(i *machine.Instance, stack []uint64) error {
			got, err := i.Call("run", stack[0])
			if err == nil {
				stack[0] = got[0]
			}
			return err
		}),
	}
}

// reentry: the host may call back into the guest meter.ReentryMax deep, and not
// once more.
func (k kit) reentry(t *testing.T) {
	m, imports := again()
	program := k.load(t, m)
	const most = meter.ReentryMax - 1 // the first call is an entry too
	i := start(t, program, plenty, imports)
	for range 3 {
		if got, err := i.Call("run", most); err != nil || got[0] != most {
			t.Fatalf("run(%d) gave %d, %v", most, got, err)
		}
	}
	for _, n := range []uint64{most + 1, most + 2, 1000, 100_000} {
		i := start(t, program, plenty, imports)
		if _, err := i.Call("run", n); class(t, err) != turn.Depth {
			t.Errorf("run(%d): %v, want depth", n, err)
		}
	}
}

// reentryDepth: frames on both sides of a re-entry count together, and after
// meter.ReentryFreeMax of them only a quarter of the weight is left.
func (k kit) reentryDepth(t *testing.T) {
	m := wasmgen.NewModule()
	m.ImportFunc("env", "again", types(i32, i32), nil)
	dive := m.Func(types(i32, i32), nil)
	dive.Code(`
		local.get 0
		if
			local.get 0; i32.const 1; i32.sub; local.get 1; call 1
		else
			local.get 1
			if
				i32.const 0; local.get 1; i32.const 1; i32.sub; call 0
			end
		end
	`)
	m.Export("dive", dive)
	program := k.load(t, m)
	const free = meter.ReentryFreeMax
	for _, test := range []struct {
		deep, frames, last uint64 // frames of each call into the guest, and of the last
		want               turn.Class
	}{
		{10, 1500, 1500, turn.Exit},
		{60, 1500, 1500, turn.Depth},
		{free - 1, 10, 30_000, turn.Exit},
		{free, 10, 30_000, turn.Depth}, // it finds three quarters taken
		{free, 10, 10_000, turn.Exit},
		{free + 100, 10, 8_000, turn.Exit},
		{free + 100, 100, 8_000, turn.Depth}, // and what the others add
	} {
		imports := machine.Imports{
			{"env", "again"}: hostImport([]meter.ValType{meter.I32, meter.I32}, nil, func(i *machine.Instance, stack []uint64) error {
				frames := test.frames
				if stack[1] == 0 {
					frames = test.last
				}
				_, err := i.Call("dive", frames, stack[1])
				return err
			}),
		}
		i := start(t, program, plenty, imports)
		_, err := i.Call("dive", test.frames, test.deep)
		if got := class(t, err); got != test.want && !(k.cannot(int(max(test.frames, test.last))) && got == turn.Worker) {
			t.Errorf("%d deep, %d frames in each and %d in the last: %v, want %v", test.deep, test.frames, test.last, err, test.want)
		}
	}
}
