package machinetest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"carrel/machine"
	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
	"carrel/turn"
)

// Functions of the module of jumper, by their entry in its table.
const (
	entryJump = iota // jump(n): a longjmp from n frames deep
	entryNest        // nest(n): n trys around a jump that is for none of them
	entryWork        // work(n): a loop
	entryMisc        // misc(n): something that ends a guest
	entryDeep        // deep(n): a try in each of n frames around a jump that is for the last one
	entryNone        // null
)

// jumper is a module that does setjmp and longjmp as compilers of C have it: a
// jump notes in memory whom it is for, at 0, and a value, at 4.
//
// try(entry, n, id) calls an entry with n. It gives 1000 and the value of a jump
// that is for id, and passes on others. run(entry, n, times) does that so often
// for jumps that are for 1, adding up.
func jumper() *wasmgen.Module {
	m := wasmgen.NewModule()
	m.Memory(1, 16)
	m.Table(wasmgen.FuncRef, entryNone+1, entryNone+1)
	invoke := m.ImportFunc("env", "invoke_ii", types(i32, i32), types(i32))
	longjmp := m.ImportFunc("env", "emscripten_longjmp", types(i32, i32), nil)
	host := m.ImportFunc("env", "host", types(i32), types(i32))

	throw := m.Func(types(i32, i32), nil)
	throw.Code("i32.const 0; local.get 0; i32.store; i32.const 4; local.get 1; i32.store")
	throw.Code("local.get 0; local.get 1; call " + itoa(longjmp) + "; unreachable")

	try := m.Func(types(i32, i32, i32), types(i32))
	threw, result := try.Local(i32), try.Local(i32)
	try.Code(fmt.Sprintf(`
		i32.const 0; i32.const 0; i32.store
		local.get 0; local.get 1; call %d; local.set %d
		i32.const 0; i32.load; local.tee %d; i32.eqz; if; local.get %d; return; end
		i32.const 0; i32.const 0; i32.store
		local.get %d; local.get 2; i32.eq; if; i32.const 1000; i32.const 4; i32.load; i32.add; return; end
		local.get %d; i32.const 4; i32.load; call %d
		unreachable`, invoke, result, threw, result, threw, threw, throw.Index))

	of := types(i32)
	jump := m.Func(of, of)
	jump.Code(fmt.Sprintf(`
		local.get 0; if; local.get 0; i32.const 1; i32.sub; call %d; return; end
		i32.const 1; i32.const 7; call %d; i32.const 0`, jump.Index, throw.Index))
	nest := m.Func(of, of)
	nest.Code(fmt.Sprintf(`
		local.get 0
		if; i32.const %d; local.get 0; i32.const 1; i32.sub; i32.const 2; call %d; return; end
		i32.const 3; call %d`, entryNest, try.Index, jump.Index))
	work := m.Func(of, of)
	work.Code("loop; local.get 0; i32.const 1; i32.sub; local.tee 0; br_if 0; end; i32.const 5")
	misc := m.Func(of, of)
	misc.Code("local.get 0; call " + itoa(host))
	deep := m.Func(of, of)
	deep.Code(fmt.Sprintf(`
		local.get 0
		if; local.get 0; i32.const 1; i32.sub; call %d; return; end
		i32.const %d; i32.const 3; i32.const 1; call %d`, deep.Index, entryJump, try.Index))
	m.Elem(0, wasmgen.Const("i32.const 0"), jump.Index, nest.Index, work.Index, misc.Index, deep.Index)

	run := m.Func(types(i32, i32, i32), types(i32))
	sum := run.Local(i32)
	run.Code(fmt.Sprintf(`
		loop
			local.get 0; local.get 1; i32.const 1; call %d; local.get %d; i32.add; local.set %d
			local.get 2; i32.const 1; i32.sub; local.tee 2; br_if 0
		end
		local.get %d`, try.Index, sum, sum, sum))
	m.Export("run", run)
	m.Export("jump", jump)
	return m
}

// jumps are the imports of jumper; host does what misc asks for.
func jumps(host machine.HostFunc) machine.Imports {
	return machine.Imports{
		machine.LongjmpName: machine.Longjmp,
		{"env", "host"}:     hostImport([]meter.ValType{meter.I32}, []meter.ValType{meter.I32}, host),
	}
}

var jumpsAlone = jumps(nil)

// jump: a longjmp ends the calls that it leaves, up to an invoke, and nothing
// else; what was counted for them is not counted any more.
func (k kit) jump(t *testing.T) {
	program := k.load(t, jumper())
	for _, test := range []struct {
		name            string
		entry, n, times uint64
		want            uint64
		class           turn.Class
		frames          int
	}{
		{"from the function itself", entryJump, 0, 1, 1007, turn.Exit, 0},
		{"from twenty frames deep", entryJump, 20, 1, 1007, turn.Exit, 0},
		{"so often that weight that stayed would show", entryJump, 1000, 1000, 1000 * 1007, turn.Exit, 0},
		{"from far down", entryJump, 20_000, 3, 3 * 1007, turn.Exit, 20_000},
		{"no jump", entryWork, 10, 2, 10, turn.Exit, 0},
		{"through those for others", entryNest, 10, 2, 2 * 1007, turn.Exit, 0},
		{"through all that there can be", entryNest, meter.ReentryMax - 2, 100, 100 * 1007, turn.Exit, 0},
		{"through one more", entryNest, meter.ReentryMax - 1, 1, 0, turn.Depth, 0},
		{"through many more", entryNest, 1 << 20, 1, 0, turn.Depth, 0},
		{"to far down", entryDeep, 15_000, 3, 3 * 1007, turn.Exit, 15_000},
		{"a null entry", entryNone, 0, 1, 0, turn.Table, 0},
		{"no entry", 1 << 20, 0, 1, 0, turn.Table, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := start(t, program, plenty, jumpsAlone)
			if err := i.Start(); err != nil {
				t.Fatal(err)
			}
			begun := i.FuelUsed()
			got, err := i.Call("run", test.entry, test.n, test.times)
			if k.cannot(test.frames) && class(t, err) == turn.Worker {
				return
			}
			if class(t, err) != test.class || err == nil && got[0] != test.want {
				t.Fatalf("%d, %v; want %d, %v", got, err, test.want, test.class)
			}
			if err != nil {
				return
			}
			once := i.FuelUsed() - begun
			if _, err := i.Call("run", test.entry, test.n, test.times); err != nil || i.FuelUsed() != begun+2*once {
				t.Errorf("%v, and %d units the second time, %d the first", err, i.FuelUsed()-begun-once, once)
			}
		})
	}
}

// jumpTypes: an invoke hands over every type as it is, and its result; after a
// jump that is zero.
func (k kit) jumpTypes(t *testing.T) {
	for _, test := range []struct {
		letters       string
		result        wasmgen.ValType
		value, thrown string // what the callee gives, and what is left of it after a jump
	}{
		{"v", 0, "", ""}, {"i", i32, "i32.const -3", "i32.const 0"}, {"j", i64, "i64.const -3", "i64.const 0"},
		{"f", f32, "f32.const 2.5", "f32.const 0"}, {"d", f64, "f64.const 2.5", "f64.const 0"},
	} {
		for _, jumps := range []bool{false, true} {
			name := "invoke_" + test.letters + "ijfdi"
			t.Run(fmt.Sprintf("%s jumps=%v", name, jumps), func(t *testing.T) {
				var results []wasmgen.ValType
				if test.result != 0 {
					results = types(test.result)
				}
				m := wasmgen.NewModule()
				m.Table(wasmgen.FuncRef, 2, 2)
				invoke := m.ImportFunc("env", name, types(i32, i32, i64, f32, f64, i32), results)
				longjmp := m.ImportFunc("env", "emscripten_longjmp", types(i32, i32), nil)
				f := m.Func(types(i32, i64, f32, f64, i32), results)
				for n, value := range []string{"i32.const -1", "i64.const -2", "f32.const -0.5", "f64.const 1e300", "i32.const 4"} {
					of := strings.SplitN(value, ".", 2)[0]
					f.Code(fmt.Sprintf("local.get %d; %s; %s.ne; if; unreachable; end", n, value, of))
				}
				if jumps {
					f.Code("i32.const 0; i32.const 0; call " + itoa(longjmp) + "; unreachable")
				}
				f.Code(test.value)
				m.Elem(0, wasmgen.Const("i32.const 1"), f.Index)
				run := m.Func(nil, nil)
				run.Code("i32.const 1; i32.const -1; i64.const -2; f32.const -0.5; f64.const 1e300; i32.const 4; call " + itoa(invoke))
				want := test.value
				if jumps {
					want = test.thrown
				}
				if want != "" {
					run.Code(want + "; " + strings.SplitN(want, ".", 2)[0] + ".ne; if; unreachable; end")
				}
				m.Export("run", run)
				i := k.instance(t, m, plenty, machine.Imports{machine.LongjmpName: machine.Longjmp})
				if _, err := i.Call("run"); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// jumpFuel: a jump costs the calls that make it, whatever it leaves; and a
// program that jumps stops at every limit below what it uses.
func (k kit) jumpFuel(t *testing.T) {
	m := wasmgen.NewModule()
	m.Table(wasmgen.FuncRef, 1, 1)
	invoke := m.ImportFunc("env", "invoke_v", types(i32), nil)
	longjmp := m.ImportFunc("env", "emscripten_longjmp", types(i32, i32), nil)
	f := m.Func(nil, nil)
	f.Code("i32.const 0; i32.const 0; call " + itoa(longjmp) + strings.Repeat("; i32.const 0; drop", 100))
	m.Elem(0, wasmgen.Const("i32.const 0"), f.Index)
	m.Export("run", m.Func(nil, nil).Code("i32.const 0; call "+itoa(invoke)))
	i := k.instance(t, m, plenty, machine.Imports{machine.LongjmpName: machine.Longjmp})
	if err := i.Start(); err != nil {
		t.Fatal(err)
	}
	before := i.FuelUsed()
	if _, err := i.Call("run"); err != nil {
		t.Fatal(err)
	}
	const want = 2 + 1 + meter.HostCallCost + // run
		2 + 1 + 8 + // the entry
		2 + 1 + 1 + meter.HostCallCost // f
	if used := i.FuelUsed() - before; used != want {
		t.Errorf("%d units used, want %d", used, want)
	}

	program := k.load(t, jumper())
	run := func(fuel uint64) turn.Outcome {
		i, err := program.Instantiate(turn.Limits{Fuel: fuel, MemoryPages: 1}, jumpsAlone)
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		_, err = i.Call("run", entryNest, 3, 2)
		return i.Outcome(err)
	}
	total := run(1 << 40)
	if total.Class != turn.Exit || total.Fuel != 2775 {
		t.Errorf("%v, %d units", total, total.Fuel)
	}
	for fuel := uint64(0); fuel < total.Fuel; fuel++ {
		if got := run(fuel); got.Class != turn.Fuel || got.Fuel != fuel {
			t.Fatalf("with %d of %d units: %v, %d used", fuel, total.Fuel, got.Class, got.Fuel)
		}
	}
	if got := run(total.Fuel); got != total {
		t.Errorf("with all it needs: %v, want %v", got, total)
	}
	// Work in a call that is left is paid for, in full.
	i = start(t, program, turn.Limits{Fuel: 100_000, MemoryPages: 1}, jumpsAlone)
	if _, err := i.Call("run", entryJump, 10, 1<<30); class(t, err) != turn.Fuel {
		t.Errorf("jumps without end: %v, want fuel", err)
	}
}

// jumpEnds: what ends a guest ends it in an invoke as well.
func (k kit) jumpEnds(t *testing.T) {
	program := k.load(t, jumper())
	for _, test := range []struct {
		name string
		host machine.HostFunc
		want turn.Class
	}{
		{"exit", func(*machine.Instance, []uint64) error { return machine.Exit(3) }, turn.Exit},
		{"fault", func(*machine.Instance, []uint64) error { return &machine.Fault{Class: turn.Divide} }, turn.Divide},
		{"failure", func(*machine.Instance, []uint64) error { return errors.New("no disk") }, turn.Worker},
		{"stop", func(i *machine.Instance, _ []uint64) error {
			i.Stop()
			_, err := i.Call("jump", 100)
			return err
		}, turn.Stopped},
		{"a jump out of a call of the host", func(i *machine.Instance, _ []uint64) error {
			_, _ = i.Call("jump", 3)
			return nil
		}, turn.Unreachable},
		{"a jump within a call of the host", func(i *machine.Instance, stack []uint64) error {
			if stack[0] == 0 {
				return nil
			}
			results, err := i.Call("run", entryNest, 3, 1)
			stack[0] = results[0]
			return err
		}, turn.Exit},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := start(t, program, plenty, jumps(test.host))
			_, err := i.Call("run", entryMisc, 1, 3)
			if got := class(t, err); got != test.want {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
	t.Run("a jump to nowhere", func(t *testing.T) {
		i := start(t, program, plenty, jumpsAlone)
		_, err := i.Call("jump", 10)
		if outcome := i.Outcome(err); outcome.Class != turn.Unreachable || outcome.Fuel != plenty.Fuel {
			t.Errorf("%v, %d units; want unreachable, and all of them", err, outcome.Fuel)
		}
	})
	for _, trap := range []struct {
		code string
		want turn.Class
	}{
		{"unreachable", turn.Unreachable}, {"i32.const -1; i32.load; drop", turn.Memory},
		{"i32.const 1; i32.const 0; i32.div_u; drop", turn.Divide}, {"call 1", turn.Depth},
		{"i32.const 7; i32.const 0; call_indirect 0 0; drop", turn.Table}, {"loop; br 0; end", turn.Fuel},
	} {
		t.Run(trap.code, func(t *testing.T) {
			m := wasmgen.NewModule()
			m.Memory(1, 1)
			m.Type(types(i32), types(i32))
			m.Table(wasmgen.FuncRef, 1, 1)
			m.ImportFunc("env", "invoke_v", types(i32), nil)
			f := m.Func(nil, nil)
			f.Code(trap.code)
			m.Elem(0, wasmgen.Const("i32.const 0"), f.Index)
			m.Export("run", m.Func(nil, nil).Code("i32.const 0; call 0"))
			i := k.instance(t, m, turn.Limits{Fuel: 5 * meter.Slice, MemoryPages: 1}, machine.Imports{machine.LongjmpName: machine.Longjmp})
			_, err := i.Call("run")
			if got := class(t, err); got != trap.want && !(k.cannot(math.MaxInt) && trap.want == turn.Depth && got == turn.Worker) {
				t.Errorf("%v, want %v", err, trap.want)
			}
		})
	}
}

// jumpImports: who offers longjmp offers every invoke of numbers; the first
// parameter is the entry. Without a table there is no entry.
func (k kit) jumpImports(t *testing.T) {
	offered := machine.Imports{machine.LongjmpName: machine.Longjmp}
	for _, test := range []struct {
		module, name    string
		params, results []wasmgen.ValType
		imports         machine.Imports
		want            bool
	}{
		{"env", "invoke_v", types(i32), nil, offered, true},
		{"env", "invoke_dfji", types(i32, f32, i64, i32), types(f64), offered, true},
		{"env", "invoke_v" + strings.Repeat("i", 254), slices.Repeat(types(i32), 255), nil, offered, true},
		{"env", "invoke_v", types(i32), nil, nil, false},
		{"env", "invoke_", types(i32), nil, offered, false},
		{"env", "invoke", types(i32), nil, offered, false},
		{"env", "invoke_iv", types(i32), types(i32), offered, false},
		{"env", "invoke_vV", types(i32, v128), nil, offered, false},
		{"env", "invoke_vi", types(i32), nil, offered, false},
		{"env", "invoke_v", types(i64), nil, offered, false},
		{"env", "invoke_v", nil, nil, offered, false},
		{"env", "invoke_v\u00e9", types(i32), nil, offered, false},
		{"wasi", "invoke_v", types(i32), nil, offered, false},
	} {
		m := wasmgen.NewModule()
		m.ImportFunc(test.module, test.name, test.params, test.results)
		i, err := k.load(t, m).Instantiate(plenty, test.imports)
		if refusal := (*meter.Refusal)(nil); err != nil && !errors.As(err, &refusal) || (err == nil) != test.want {
			t.Errorf("%s.%s %v: %v, want it offered: %v", test.module, test.name, test.params, err, test.want)
		}
		if err == nil {
			if err := i.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	for _, of := range []wasmgen.ValType{0, wasmgen.ExternRef} {
		m := wasmgen.NewModule()
		m.ImportFunc("env", "invoke_v", types(i32), nil)
		if of != 0 {
			m.Table(of, 1, 1)
		}
		m.Export("run", m.Func(nil, nil).Code("i32.const 0; call 0"))
		i := k.instance(t, m, plenty, offered)
		if _, err := i.Call("run"); class(t, err) != turn.Table {
			t.Errorf("an invoke without a table of functions: %v, want table", err)
		}
	}
}

// jumpImages: an image after jumps is the same on every engine, and a program
// goes on from it as if it had not stopped.
func (k kit) jumpImages(t *testing.T) {
	program := k.load(t, jumper())
	if err := program.Imageable(); err != nil {
		t.Fatal(err)
	}
	i := start(t, program, plenty, jumpsAlone)
	if _, err := i.Call("run", entryNest, 30, 3); err != nil {
		t.Fatal(err)
	}
	img, err := i.Commit(nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = "sha256:8e9f93a57dce9fb576a0fd40d7258e99d53446d9c72e64fe59c71ee2c28f1271"
	if root := i.Root(nil); root != want {
		t.Errorf("root %s, want %s", root, want)
	}
	again, err := program.Restore(img, plenty, jumpsAlone)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for _, instance := range []*machine.Instance{i, again} {
		if err := instance.Begin(plenty); err != nil {
			t.Fatal(err)
		}
		got, err := instance.Call("run", entryNest, 3, 2)
		if outcome := instance.Outcome(err); err != nil || got[0] != 2*1007 || outcome.Fuel != 2260 {
			t.Errorf("%d, %v, %d units", got, err, outcome.Fuel)
		}
	}
}
