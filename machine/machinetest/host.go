package machinetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"carrel/machine"
	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
	"carrel/machine/page"
	"carrel/turn"
)

// memory: it starts at zero and at its size, grows in place up to its maximum,
// keeps what was there, and its last byte is its last.
func (k kit) memory(t *testing.T) {
	const most = turn.MemoryPagesMax
	m := wasmgen.NewModule()
	m.Memory(1, wasmgen.NoMax)
	grow := m.Func(types(i32), types(i32))
	grow.Code("local.get 0; memory.grow")
	m.Export("grow", grow)
	poke := m.Func(types(i32, i32), types(i32))
	poke.Code("local.get 0; local.get 1; i32.store8; local.get 0; i32.load8_u")
	m.Export("poke", poke)
	program := k.load(t, m)
	limits := turn.Limits{Fuel: 1 << 40, MemoryPages: most}
	i := start(t, program, limits, nil)

	want := func(name string, want uint32, args ...uint64) {
		t.Helper()
		if got, err := i.Call(name, args...); err != nil || uint32(got[0]) != want {
			t.Errorf("%s%d gave %d, %v; want %d", name, args, got, err, want)
		}
	}
	want("poke", 7, 65535, 7)
	want("grow", 1, 0)
	want("grow", 1, 15)
	want("poke", 9, 16<<16-1, 9)
	want("grow", 16, most-16)
	const last = most<<16 - 1
	want("poke", 5, last, 5)
	for _, delta := range []uint64{1, 2, 1 << 15, 1 << 16, 0xffffffff} {
		want("grow", 0xffffffff, delta)
	}
	want("grow", most, 0)
	if memory := i.Memory(); len(memory) != most<<16 || memory[65535] != 7 || memory[16<<16-1] != 9 || memory[last] != 5 {
		t.Error("memory moved, or lost something, as it grew")
	}
	if _, ok := i.Bytes(last, 1); !ok {
		t.Error("the host has no last byte")
	}
	if _, ok := i.Bytes(last, 2); ok {
		t.Error("the host has one byte more than there is")
	}
	if _, err := i.Call("poke", last+1, 1); class(t, err) != turn.Memory {
		t.Errorf("a store after the last byte: %v, want memory", err)
	}
	for n := range 3 { // a reservation that is used again is zero
		i := start(t, program, limits, nil)
		if _, err := i.Call("grow", 100); err != nil {
			t.Fatal(err)
		}
		if memory := i.Memory(); len(memory) != 101<<16 || memory[65535] != 0 || memory[16<<16-1] != 0 {
			t.Errorf("instance %d does not start at zero", n)
		}
	}
}

// beyond: no load reaches beyond memory, whatever its address, offset and size;
// in an instance that began, in one that goes on from an image, and as it grows.
func (k kit) beyond(t *testing.T) {
	m := wasmgen.NewModule()
	m.Memory(1, 40)
	grow := m.Func(types(i32), types(i32))
	grow.Code("local.get 0; memory.grow")
	m.Export("grow", grow)
	sizes := map[string]uint64{"i32.load8_u": 1, "i32.load": 4, "i64.load": 8, "v128.load": 16}
	offsets := []uint64{0, 1, 1<<16 - 1, 1 << 16, page.GuardBytes - 16, page.GuardBytes - 1, page.GuardBytes, page.GuardBytes + 1, 1 << 31, 1<<32 - 1}
	export := func(load string, offset uint64) string { return fmt.Sprint(load, " ", offset) }
	for load := range sizes {
		for _, offset := range offsets {
			f := m.Func(types(i32), nil)
			f.Code("local.get 0; " + export(load, offset) + "; drop")
			m.Export(export(load, offset), f)
		}
	}
	program := k.load(t, m)
	look := func(i *machine.Instance) {
		memory := uint64(len(i.Memory()))
		for load, size := range sizes {
			for _, offset := range offsets {
				for _, at := range []uint64{0, memory - 16, memory - 4, memory - 1, memory, 1<<31 - 1, 1 << 31, 1<<32 - 16, 1<<32 - 1} {
					switch _, err := i.Call(export(load, offset), at); {
					case at+offset+size <= memory && err != nil:
						t.Fatalf("%s %d at %#x of %#x bytes: %v", load, offset, at, memory, err)
					case at+offset+size <= memory:
					case class(t, err) != turn.Memory:
						t.Fatalf("%s %d at %#x of %#x bytes: %v, want memory", load, offset, at, memory, err)
					default:
						if err := i.Rollback(); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		}
	}
	i := start(t, program, plenty, nil)
	for _, more := range []uint64{0, 7} {
		if _, err := i.Call("grow", more); err != nil {
			t.Fatal(err)
		}
		img, err := i.Commit(nil)
		if err != nil {
			t.Fatal(err)
		}
		look(i)
		again, err := program.Restore(img, plenty, nil)
		if err != nil {
			t.Fatal(err)
		}
		look(again)
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// memoryLimit: grow answers -1 at the limit of the turn, or the program's own,
// whichever is lower; a program that starts above the limit is refused.
func (k kit) memoryLimit(t *testing.T) {
	for _, test := range []struct {
		declared uint64
		limit    uint32
		most     uint64
	}{
		{wasmgen.NoMax, 10, 10}, {5, 10, 5}, {10, 10, 10}, {11, 10, 10}, {65536, 10, 10}, {32767, 32768, 32767}, {1, 1, 1},
	} {
		m := wasmgen.NewModule()
		m.Memory(1, test.declared)
		f := m.Func(types(i32), types(i32))
		f.Code("local.get 0; memory.grow")
		m.Export("grow", f)
		i := k.instance(t, m, turn.Limits{Fuel: 1 << 40, MemoryPages: test.limit}, nil)
		for _, step := range []struct{ delta, want uint64 }{
			{test.most, 0xffffffff}, {test.most - 1, 1}, {1, 0xffffffff}, {0, test.most},
		} {
			if got, err := i.Call("grow", step.delta); err != nil || got[0] != step.want {
				t.Errorf("declared %d, limit %d: grow(%d) gave %d, %v; want %d", test.declared, test.limit, step.delta, got, err, step.want)
			}
		}
	}
	m := wasmgen.NewModule()
	m.Memory(11, 20)
	_, err := k.load(t, m).Instantiate(turn.Limits{Fuel: 1, MemoryPages: 10}, nil)
	if refusal := (*meter.Refusal)(nil); !errors.As(err, &refusal) {
		t.Errorf("a program that starts above the limit: %v, want a refusal", err)
	}
}

// hostGrows: a program that asks its host for memory gets it within the limit, and
// pays for it as for memory.grow; what it has written stays.
func (k kit) hostGrows(t *testing.T) {
	asks := func(name string) *wasmgen.Module {
		m := wasmgen.NewModule()
		m.ImportFunc(meter.ResizeModule, name, types(i32), types(i32))
		m.Memory(1, 20)
		f := m.Func(types(i32), types(i32))
		f.Code(`
			i32.const 8; i32.const 7; i32.store
			local.get 0; call 0; i32.const 100; i32.mul
			memory.size; i32.const 1000; i32.mul; i32.add
			i32.const 8; i32.load; i32.add`)
		m.Export("run", f)
		return m
	}
	grow := hostImport([]meter.ValType{meter.I32}, []meter.ValType{meter.I32}, func(i *machine.Instance, stack []uint64) error {
		grown, err := i.Grow(uint32(stack[0]))
		if stack[0] = 0; grown {
			stack[0] = 1
			i.Memory()[len(i.Memory())-1] = 1 // it can be written to at once
		}
		return err
	})
	program := k.load(t, asks(meter.ResizeName))
	i := start(t, program, turn.Limits{Fuel: 1 << 40, MemoryPages: 10}, machine.Imports{{meter.ResizeModule, meter.ResizeName}: grow})
	spent := func() uint64 { return i.FuelUsed() }
	var none uint64
	for _, step := range []struct{ pages, want, price uint64 }{
		{0, 1107, 0}, {3, 4107, 3}, {6, 10107, 6}, {1, 10007, 0}, {1 << 31, 10007, 0}, {0, 10107, 0},
	} {
		before := spent()
		got, err := i.Call("run", step.pages)
		if err != nil || got[0] != step.want {
			t.Fatalf("%d pages: %v, %v, want %d", step.pages, got, err, step.want)
		}
		price := spent() - before
		if none == 0 {
			none = price
		}
		if step.want%1000 == 107 && price != none+step.price*meter.GrowCost {
			t.Errorf("%d pages cost %d units, none %d", step.pages, price, none)
		}
	}
	i = start(t, program, turn.Limits{Fuel: 2000, MemoryPages: 10}, machine.Imports{{meter.ResizeModule, meter.ResizeName}: grow})
	if _, err := i.Call("run", 9); class(t, err) != turn.Fuel {
		t.Errorf("without fuel for it: %v", err)
	}
	i = start(t, k.load(t, asks("other")), plenty, machine.Imports{{meter.ResizeModule, "other"}: grow})
	if got, err := i.Call("run", 3); err != nil || got[0] != 1007 {
		t.Errorf("a program that does not ask: %v, %v", got, err)
	}
}

// A host for raw cells.
type hostFunc func(index int, stack []uint64) error

func (f hostFunc) Import(index int, stack []uint64) error { return f(index, stack) }

// caller is a module whose run(n) calls the host with n.
func caller() *wasmgen.Module {
	m := wasmgen.NewModule()
	m.ImportFunc("env", "host", types(i32), types(i32))
	f := m.Func(types(i32), types(i32))
	f.Code("local.get 0; call 0")
	m.Export("run", f)
	return m
}

// raw is a cell of the module, without an Instance around it.
func (k kit) raw(t *testing.T, m *wasmgen.Module, host machine.Host) machine.Cell {
	t.Helper()
	module, err := meter.Rewrite(m.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	code, err := k.engine.Compile(context.Background(), module)
	if err != nil {
		t.Fatal(err)
	}
	memory, err := page.NewMemory(nil, 0, code.Guarded(), page.Auto)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(memory.Release)
	cell, err := code.Instantiate(host, memory)
	if err != nil {
		t.Fatal(err)
	}
	if module.Memory != nil {
		cell.SetGlobal(meter.PagesGlobal, uint64(module.Memory.Max))
	}
	cell.SetGlobal(meter.CounterGlobal, uint64(meter.NewCounter(1<<40, 0)))
	t.Cleanup(func() {
		if err := errors.Join(cell.Close(), code.Close()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return cell
}

// hostErrors: Invoke gives the host's own error, and an error of the guest is
// never taken for one.
func (k kit) hostErrors(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	cell := k.raw(t, caller(), hostFunc(func(_ int, stack []uint64) error {
		if uint32(stack[0]) == 1 {
			return first
		}
		return &machine.Fault{Class: turn.Exit, Code: uint32(stack[0])}
	}))
	if err := cell.Invoke("run", []uint64{1}); !errors.Is(err, first) || errors.Is(err, second) {
		t.Errorf("%v, want %v", err, first)
	}
	fault := (*machine.Fault)(nil)
	if err := cell.Invoke("run", []uint64{77}); !errors.As(err, &fault) || fault.Code != 77 || errors.Is(err, first) {
		t.Errorf("%v, want exit 77", err)
	}
}

// hostPanic: a panic in the host ends the guest as a fault of the worker, and
// not the process.
func (k kit) hostPanic(t *testing.T) {
	i := k.instance(t, caller(), plenty, machine.Imports{
		{"env", "host"}: hostImport([]meter.ValType{meter.I32}, []meter.ValType{meter.I32}, func(*machine.Instance, []uint64) error {
			var nothing []int
			return fmt.Errorf("unreachable: %d", nothing[3])
		}),
	})
	if _, err := i.Call("run", 1); class(t, err) != turn.Worker {
		t.Errorf("%v, want worker", err)
	}
}

// unwind: a host that calls the guest again may take an error of its own from
// in there and go on, as setjmp and longjmp do; others pass through.
func (k kit) unwind(t *testing.T) {
	jump := errors.New("jump")
	var cell machine.Cell
	cell = k.raw(t, caller(), hostFunc(func(_ int, stack []uint64) error {
		n := uint64(uint32(stack[0]))
		switch {
		case n == 0:
			return jump
		case n == 100:
			return &machine.Fault{Class: turn.Exit}
		case n%10 == 0:
			runtime.GC()
		}
		inner := []uint64{n - 1}
		err := cell.Invoke("run", inner)
		if n == 5 && errors.Is(err, jump) {
			stack[0] = 55
			return nil
		}
		stack[0] = inner[0] + 1
		return err
	}))
	for range 10 {
		stack := []uint64{40}
		if err := cell.Invoke("run", stack); err != nil || uint32(stack[0]) != 55+35 {
			t.Fatalf("run gave %d, %v; want 90", uint32(stack[0]), err)
		}
		if err := cell.Invoke("run", []uint64{4}); !errors.Is(err, jump) {
			t.Fatalf("%v, want %v", err, jump)
		}
		if err := cell.Invoke("run", []uint64{104}); errors.Is(err, jump) || err == nil {
			t.Fatalf("%v, want an exit", err)
		}
	}
}

// counter is a module with state of each kind: run(n) adds n to a global, to
// memory and gives the sum.
func counter() *wasmgen.Module {
	m := wasmgen.NewModule()
	m.Memory(1, 1)
	m.Global(i32, true, wasmgen.Const("i32.const 0"))
	f := m.Func(types(i32), types(i32))
	f.Code(`
		global.get 0; local.get 0; i32.add; global.set 0
		i32.const 0; i32.const 0; i32.load; local.get 0; i32.add; i32.store
		global.get 0; i32.const 0; i32.load; i32.add
	`)
	m.Export("run", f)
	return m
}

// independent: instances of a program share nothing.
func (k kit) independent(t *testing.T) {
	program := k.load(t, counter())
	a, b := start(t, program, plenty, nil), start(t, program, plenty, nil)
	for n := range uint64(5) {
		for i, step := range map[*machine.Instance]uint64{a: 1, b: 10} {
			if got, err := i.Call("run", step); err != nil || got[0] != 2*step*(n+1) {
				t.Errorf("run(%d) the time %d gave %d, %v", step, n+1, got, err)
			}
		}
	}
}

// concurrent: a program may be instantiated, run and closed on many goroutines.
func (k kit) concurrent(t *testing.T) {
	program := k.load(t, counter())
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				i, err := program.Instantiate(plenty, nil)
				if err != nil {
					t.Error(err)
					return
				}
				for n := range uint64(4) {
					if got, err := i.Call("run", 1); err != nil || got[0] != 2*(n+1) {
						t.Errorf("run gave %d, %v", got, err)
					}
				}
				if err := i.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

// reentryFuel: after a call into the guest the host can charge what is left and
// no more, wherever in a slice of fuel the guest stopped.
func (k kit) reentryFuel(t *testing.T) {
	m := wasmgen.NewModule()
	host := m.ImportFunc("env", "host", types(i32), nil)
	m.Memory(1, 1)
	work := m.Func(types(i32), nil)
	fill := "i32.const 0; i32.const 0; i32.const 65536; memory.fill\n"
	work.Code("loop; " + fill + "local.get 0; i32.const 1; i32.sub; local.tee 0; br_if 0; end\n" + strings.Repeat(fill, 40))
	m.Export("work", work)
	run := m.Func(types(i32), nil)
	run.Op("local.get", 0).Op("call", int64(host))
	m.Export("run", run)
	program := k.load(t, m)
	for rounds := uint64(180); rounds < 260; rounds += 10 {
		const limit = 2 * meter.Slice
		for more, want := range []turn.Class{turn.Exit, turn.Fuel} {
			charge := func(i *machine.Instance, stack []uint64) error {
				if _, err := i.Call("work", stack[0]); err != nil {
					return err
				}
				return i.Charge(limit - i.FuelUsed() + uint64(more))
			}
			i := start(t, program, turn.Limits{Fuel: limit, MemoryPages: 1}, machine.Imports{
				{"env", "host"}: hostImport([]meter.ValType{meter.I32}, nil, func(i *machine.Instance, stack []uint64) error {
					if err := charge(i, stack); err != nil {
						return err
					}
					return machine.Exit(0)
				}),
			})
			_, err := i.Call("run", rounds)
			if got := class(t, err); got != want {
				t.Errorf("%d rounds, and all that is left and %d more: %v, want %v", rounds, more, err, want)
			}
		}
	}
}

// reentryFault: a guest that faulted in a call of the host is dead, whatever the
// host makes of the error.
func (k kit) reentryFault(t *testing.T) {
	m := wasmgen.NewModule()
	host := m.ImportFunc("env", "host", nil, nil)
	m.Export("fault", m.Func(nil, nil).Code("unreachable"))
	m.Export("run", m.Func(nil, nil).Code("call "+itoa(host)+"; call "+itoa(host)))
	calls := 0
	i := k.instance(t, m, plenty, machine.Imports{
		{"env", "host"}: hostImport(nil, nil, func(i *machine.Instance, _ []uint64) error {
			calls++
			_, _ = i.Call("fault")
			return nil
		}),
	})
	_, err := i.Call("run")
	if got := class(t, err); got != turn.Unreachable || calls != 1 {
		t.Errorf("%v after %d calls, want unreachable after 1", err, calls)
	}
	// And so is one whose personality gave up for reasons of its own.
	i = k.instance(t, single(nil, nil, ""), plenty, nil)
	if got := i.Outcome(errors.New("no reason")).Class; got != turn.Worker {
		t.Errorf("%v, want worker", got)
	}
}
