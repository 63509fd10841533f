package machinetest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"carrel/machine"
	"carrel/machine/image"
	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
	"carrel/machine/page"
	"carrel/turn"
)

// keeper is an imageable module with all that an image must hold: memory, a
// global of each type, a passive data segment that may be dropped, a table that
// is filled, an active data segment, a start function.
func keeper() *wasmgen.Module {
	m := wasmgen.NewModule()
	m.ImportFunc("env", "ask", nil, nil)
	m.ImportFunc("env", "end", nil, nil)
	m.Memory(2, 40)
	m.Table(wasmgen.FuncRef, 2, 2)
	m.Global(i32, true, wasmgen.Const("i32.const 5"))
	m.Global(i64, true, wasmgen.Const("i64.const -5"))
	m.Global(f32, true, wasmgen.Const("f32.const 1.5"))
	m.Global(f64, true, wasmgen.Const("f64.const -2.5"))
	m.Global(v128, true, wasmgen.Const("v128.const 7 9"))
	m.Data(wasmgen.Const("i32.const 8"), []byte("active"))
	passive := m.DataPassive([]byte("passive"))
	start := m.Func(nil, nil)
	start.Code("i32.const 0; i32.const 0; i32.load; i32.const 1; i32.add; i32.store")
	m.Start(start.Index)
	add := func(name string, params, results []wasmgen.ValType, code string) *wasmgen.Func {
		f := m.Func(params, results)
		f.Code(code)
		m.Export(name, f)
		return f
	}
	seven := add("seven", nil, types(i32), "i32.const 7")
	m.Elem(0, wasmgen.Const("i32.const 1"), seven.Index)
	add("table", nil, types(i32), "i32.const 1; call_indirect "+itoa(m.Type(nil, types(i32))))
	add("put", types(i32, i32), nil, "local.get 0; local.get 1; i32.store8")
	add("get", types(i32), types(i32), "local.get 0; i32.load8_u")
	add("grow", types(i32), types(i32), "local.get 0; memory.grow")
	add("init", nil, nil, "i32.const 100; i32.const 0; i32.const 7; memory.init "+itoa(passive))
	add("drop", nil, nil, "data.drop "+itoa(passive))
	add("trap", types(i32), nil, "local.get 0; i32.const 99; i32.store8; global.get 0; i32.const 1; i32.add; global.set 0; unreachable")
	add("ask", nil, nil, "call 0")
	add("end", types(i32), nil, "local.get 0; i32.const 98; i32.store8; call 1")
	add("bump", nil, nil, `
		global.get 0; i32.const 1; i32.add; global.set 0
		global.get 1; i64.const 1; i64.add; global.set 1
		global.get 2; f32.const 0.5; f32.add; global.set 2
		global.get 3; f64.const 0.5; f64.add; global.set 3
		global.get 4; v128.const 1 1; i64x2.add; global.set 4`)
	return m
}

// kept is a keeper with what its host does.
type kept struct {
	*machine.Instance
	t   testing.TB
	ask func(i *machine.Instance) error
}

func (k kit) keep(t testing.TB, program *machine.Program, from *image.Image) *kept {
	t.Helper()
	g := &kept{t: t}
	imports := machine.Imports{
		{"env", "ask"}: hostImport(nil, nil, func(i *machine.Instance, _ []uint64) error { return g.ask(i) }),
		{"env", "end"}: hostImport(nil, nil, func(*machine.Instance, []uint64) error { return machine.Exit(3) }),
	}
	var err error
	if from == nil {
		g.Instance, err = program.Instantiate(plenty, imports)
	} else {
		g.Instance, err = program.Restore(from, plenty, imports)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// turn is a turn of one call, which must end so.
func (g *kept) turn(want turn.Class, export string, args ...uint64) (results []uint64, fuel uint64) {
	g.t.Helper()
	if err := g.Begin(plenty); err != nil {
		g.t.Fatalf("before %s: %v", export, err)
	}
	results, err := g.Call(export, args...)
	outcome := g.Outcome(err)
	if outcome.Class != want {
		g.t.Fatalf("%s%v: %v (%s), want %v", export, args, outcome.Class, outcome.Text, want)
	}
	return results, outcome.Fuel
}

func (g *kept) commit() *image.Image {
	g.t.Helper()
	img, err := g.Commit([]byte("host"))
	if err != nil {
		g.t.Fatal(err)
	}
	return img
}

func (g *kept) value(want uint64, export string, args ...uint64) {
	g.t.Helper()
	if got, _ := g.turn(turn.Exit, export, args...); got[0] != want {
		g.t.Errorf("%s%v is %d, want %d", export, args, got[0], want)
	}
}

// images: an instance that goes on from an image has all that was, and what was
// done once at the start is not done again.
func (k kit) images(t *testing.T) {
	program := k.load(t, keeper())
	first := k.keep(t, program, nil)
	first.turn(turn.Exit, "bump")
	first.turn(turn.Exit, "put", 5000, 17)
	first.turn(turn.Exit, "put", 9, 'A')
	first.turn(turn.Exit, "grow", 3)
	first.turn(turn.Exit, "put", 5<<16-1, 18)
	first.turn(turn.Exit, "drop")
	img := first.commit()
	if want := []uint64{6, 1<<64 - 4, 0x40000000, 0xc000000000000000, 8, 10, 1}; !slices.Equal(img.Globals, want) {
		t.Errorf("globals %x, want %x", img.Globals, want)
	}
	if img.Memory.Bytes() != 5<<16 || string(img.Host) != "host" {
		t.Errorf("%d bytes of memory, host region %q", img.Memory.Bytes(), img.Host)
	}
	second := k.keep(t, program, img)
	if got, err := second.Commit([]byte("host")); err != nil || got.Root() != img.Root() {
		t.Errorf("the image of a new instance has another root (%v)", err)
	}
	second.value(1, "get", 0) // the start function has run once
	second.value('A', "get", 9)
	second.value(17, "get", 5000)
	second.value(18, "get", 5<<16-1)
	second.value(7, "table")
	second.value(5, "grow", 1)
	second.value(0, "get", 6<<16-1)
	second.value(6, "grow", 34)
	second.value(0xffffffff, "grow", 1)
	second.turn(turn.Memory, "init") // from what was dropped
	if first.Memory()[9] != 'A' || len(first.Memory()) != 5<<16 {
		t.Error("an instance saw what another did")
	}
}

// imageFuel: the pages that differ from the image before are paid for, at the
// end, whatever else was written to.
func (k kit) imageFuel(t *testing.T) {
	program := k.load(t, keeper())
	i := k.keep(t, program, nil)
	i.turn(turn.Exit, "put", 5000, 17)
	img := i.commit()
	for _, i := range []*kept{i, k.keep(t, program, img)} {
		_, same := i.turn(turn.Exit, "put", 5000, 17)
		for _, test := range []struct{ at, value, pages uint64 }{{5000, 17, 0}, {5000, 18, 1}, {6000, 1, 1}, {65536, 1, 1}} {
			_, fuel := i.turn(turn.Exit, "put", test.at, test.value)
			if got, want := fuel-same, test.pages*meter.PageCost; got != want {
				t.Errorf("put %d at %d costs %d more than nothing, want %d", test.value, test.at, got, want)
			}
			if err := i.Rollback(); err != nil {
				t.Fatal(err)
			}
		}
		_, grown := i.turn(turn.Exit, "grow", 10)
		i.turn(turn.Exit, "put", 3<<16, 1)
		if err := i.Begin(turn.Limits{Fuel: same + meter.PageCost - 1, MemoryPages: 40}); err != nil {
			t.Fatal(err)
		}
		_, err := i.Call("put", 5000, 17) // one page differs by now: it is charged last, and is too much
		if outcome := i.Outcome(err); outcome.Class != turn.Fuel || outcome.Fuel != same+meter.PageCost-1 {
			t.Errorf("a turn that cannot pay for its pages: %v, %d units", outcome.Class, outcome.Fuel)
		}
		if grown > same+10*meter.GrowCost+100 {
			t.Errorf("to grow by pages of zeros costs %d", grown)
		}
		if err := i.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}

// rollback: whatever ended a turn, it can be taken back, and leaves no trace.
func (k kit) rollback(t *testing.T) {
	program := k.load(t, keeper())
	for _, committed := range []bool{true, false} {
		i := k.keep(t, program, nil)
		if committed {
			i.turn(turn.Exit, "put", 5000, 17)
			i.commit()
		}
		before := i.Root(nil)
		i.ask = func(i *machine.Instance) error {
			i.Memory()[70000] = 5
			return errors.New("the host failed")
		}
		for _, bad := range []func(){
			func() { i.turn(turn.Unreachable, "trap", 70000) },
			func() { i.turn(turn.Worker, "ask") },
			func() { i.turn(turn.Memory, "put", 1<<31, 1) },
			func() { i.turn(turn.Exit, "put", 70000, 1) },
			func() { i.turn(turn.Exit, "bump") },
			func() { i.turn(turn.Exit, "grow", 5) },
			func() { i.turn(turn.Exit, "end", 70000) },
			func() {
				i.turn(turn.Exit, "grow", 5)
				i.turn(turn.Exit, "put", 6<<16, 5)
				i.turn(turn.Unreachable, "trap", 6<<16)
			},
			func() { i.turn(turn.Exit, "drop") },
			func() { i.Stop(); i.Stop() },
		} {
			bad()
			if err := i.Rollback(); err != nil {
				t.Fatal(err)
			}
			if after := i.Root(nil); after != before {
				t.Fatalf("root %s after it was rolled back, %s before", after, before)
			}
		}
		i.value(2, "grow", 5)
		i.value(0, "get", 6<<16)
		i.turn(turn.Exit, "init")
	}
}

// exits: an instance that exited is at rest: it has an image, and can go on.
func (k kit) exits(t *testing.T) {
	program := k.load(t, keeper())
	i := k.keep(t, program, nil)
	i.turn(turn.Exit, "end", 70000)
	again := k.keep(t, program, i.commit())
	for _, i := range []*kept{i, again} {
		i.value(98, "get", 70000)
		i.turn(turn.Exit, "bump")
		i.value(7, "table")
	}
	if a, b := i.commit(), again.commit(); a.Root() != b.Root() {
		t.Error("an instance that went on after an exit has another root than one that was restored")
	}
}

// notAtRest: there is no image of an instance with frames on its stack, or that
// ended in a fault.
func (k kit) notAtRest(t *testing.T) {
	program := k.load(t, keeper())
	i := k.keep(t, program, nil)
	asked := 0
	i.ask = func(i *machine.Instance) error {
		asked++
		_, commit := i.Commit(nil)
		for _, err := range []error{commit, i.Rollback(), i.Begin(plenty)} {
			if !errors.Is(err, machine.ErrNotAtRest) {
				t.Errorf("within a call: %v, want ErrNotAtRest", err)
			}
		}
		return nil
	}
	i.turn(turn.Exit, "ask")
	i.turn(turn.Unreachable, "trap", 0)
	if _, err := i.Commit(nil); !errors.Is(err, machine.ErrNotAtRest) {
		t.Errorf("commit after a trap: %v, want ErrNotAtRest", err)
	}
	if err := i.Begin(plenty); !errors.Is(err, machine.ErrNotAtRest) {
		t.Errorf("another turn after a trap: %v, want ErrNotAtRest", err)
	}
	if asked != 1 {
		t.Errorf("the host was asked %d times", asked)
	}
}

// notImageable: what an image cannot hold is refused, with the instruction.
func (k kit) notImageable(t *testing.T) {
	m := keeper()
	f := m.Func(nil, nil)
	f.Code("i32.const 0; ref.null; table.set 0")
	program := k.load(t, m)
	i := k.keep(t, program, nil)
	i.turn(turn.Exit, "seven")
	_, err := i.Commit(nil)
	for _, err := range []error{err, program.Imageable()} {
		if !errors.Is(err, machine.ErrNotImageable) || !strings.Contains(err.Error(), "table.set") {
			t.Errorf("%v, want ErrNotImageable that names table.set", err)
		}
	}
	if _, err := program.Restore(&image.Image{}, plenty, nil); !errors.Is(err, machine.ErrNotImageable) {
		t.Errorf("restore: %v, want ErrNotImageable", err)
	}
}

// misfits: an image that is not of the program is refused.
func (k kit) misfits(t *testing.T) {
	program := k.load(t, keeper())
	good := k.keep(t, program, nil).commit()
	memory := func(size uint64) *page.Snapshot { return good.Memory.With(size, nil) }
	for name, img := range map[string]*image.Image{
		"no memory":        {Globals: good.Globals},
		"too small":        {Globals: good.Globals, Memory: memory(1 << 16)},
		"too large":        {Globals: good.Globals, Memory: memory(41 << 16)},
		"half a page":      {Globals: good.Globals, Memory: memory(3<<16 + page.Size)},
		"no globals":       {Memory: good.Memory},
		"too few globals":  {Globals: good.Globals[1:], Memory: good.Memory},
		"too many globals": {Globals: append(slices.Clone(good.Globals), 0), Memory: good.Memory},
		"an i32 too large": {Globals: append([]uint64{1 << 32}, good.Globals[1:]...), Memory: good.Memory},
	} {
		if i, err := program.Restore(img, plenty, nil); !errors.Is(err, machine.ErrImage) {
			t.Errorf("%s: %v, want ErrImage", name, err)
			if err == nil {
				i.Close()
			}
		}
	}
	never := wasmgen.NewModule() // there is no image of it: filling its table is a trap
	never.Table(wasmgen.FuncRef, 1, 1)
	f := never.Func(nil, nil)
	never.Elem(0, wasmgen.Const("i32.const 1"), f.Index)
	if _, err := k.load(t, never).Restore(&image.Image{}, plenty, nil); !errors.Is(err, machine.ErrImage) {
		t.Errorf("an image of a program that cannot begin: %v, want ErrImage", err)
	}
	large := &image.Image{Globals: good.Globals, Memory: memory(20 << 16)}
	_, err := program.Restore(large, turn.Limits{Fuel: 1, MemoryPages: 19}, nil)
	if refusal := (*meter.Refusal)(nil); !errors.As(err, &refusal) {
		t.Errorf("an image above the limit: %v, want a refusal", err)
	}
}

// unverified: no answer leaves before an image is known to be good.
func (k kit) unverified(t *testing.T) {
	program := k.load(t, keeper())
	good := k.keep(t, program, nil).commit()
	restore := func(root page.Hash) *kept {
		i := k.keep(t, program, image.Unverified(good.Memory, good.Globals, good.Host, root))
		i.ask = func(*machine.Instance) error { i.t = nil; return nil }
		return i
	}
	i := restore(good.Root())
	i.value(7, "seven")
	i.turn(turn.Exit, "put", 9, 9)
	bad := good.Root()
	bad[3]++
	for export, args := range map[string][]uint64{"seven": nil, "ask": nil, "trap": {0}} {
		i := restore(bad)
		if i.turn(turn.Worker, export, args...); i.t == nil {
			t.Error("the host was called by an image that is not good")
		}
		if _, err := restore(bad).Commit(nil); err == nil {
			t.Error("an image that is not good was committed")
		}
	}
}
