package machinetest

import (
	"fmt"
	"testing"

	"carrel/machine"
	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
	"carrel/turn"
)

// A place is where a call of a program was that had not returned.
type place struct {
	function uint32
	offset   int // in the program's bytes; negative if the engine cannot tell
}

// places are what an engine tells of where a guest was, in terms of its program;
// more says that there were more.
func places(module *meter.Module, origins *meter.Origins, frames []machine.Frame) (found []place, more bool) {
	for _, frame := range frames {
		if function, ok := module.Function(frame.Function); ok {
			offset, ok := origins.Of(frame.Offset)
			if !ok {
				offset = -1
			}
			found = append(found, place{function, offset})
		}
		if frame.More {
			return found, true
		}
	}
	return found, false
}

// all wants the origins of every function.
func all(uint32) bool { return true }

// sameTrace says what differs in the traces of two runs, as far as both go.
func sameTrace(a, b *run) error {
	n := max(len(a.trace), len(b.trace))
	if a.more || b.more {
		n = min(len(a.trace), len(b.trace))
	}
	for i := range n {
		switch {
		case i >= len(a.trace) || i >= len(b.trace) || a.trace[i].function != b.trace[i].function:
		case a.trace[i].offset == b.trace[i].offset || a.trace[i].offset < 0 || b.trace[i].offset < 0:
			continue
		}
		return fmt.Errorf("traces at call %d: %v, %v", i, a.trace[min(i, len(a.trace)):], b.trace[min(i, len(b.trace)):])
	}
	return nil
}

// traced is a module whose calls are to be found again by their instructions.
// Functions: 0 host, 1 leaf, 2 middle, 3 loop; middle is entry 0 of the table.
// What "run" does is function 4.
func traced(leaf, run string) *wasmgen.Module {
	m := wasmgen.NewModule()
	host := m.ImportFunc("env", "host", types(i32), nil)
	m.Memory(1, 1)
	m.Table(wasmgen.FuncRef, 1, 1)
	m.Func(nil, nil).Code("nop; f32.const 1; drop; " + leaf)
	middle := m.Func(nil, nil)
	middle.Code("i32.const 1; if; nop; call 1; end; nop")
	m.Func(nil, nil).Code("loop; f32.const 1; drop; i32.const 8; call " + itoa(host) + "; br 0; end")
	f := m.Func(nil, nil)
	f.Code(run)
	m.Export("run", f)
	again := m.Func(nil, nil)
	again.Code(leaf)
	m.Export("again", again)
	m.Elem(0, wasmgen.Const("i32.const 0"), middle.Index)
	return m
}

// traces: a fault says where the guest was, by function and instruction.
func (k kit) traces(t *testing.T) {
	imports := machine.Imports{{"env", "host"}: hostImport([]meter.ValType{meter.I32}, nil, func(i *machine.Instance, stack []uint64) error {
		switch stack[0] {
		case 1:
			_, err := i.Call("again")
			return err
		case 2:
			return &machine.Fault{Class: turn.Memory}
		case 3:
			return machine.Exit(0)
		case 4:
			i.Stop()
		}
		return nil
	})}
	indirect := "call_indirect " + itoa(traced("", "").Type(nil, nil)) + " 0"
	for _, test := range []struct {
		name, leaf, run string
		want            []string // function and instruction
	}{
		{"unreachable", "unreachable", "call 2", []string{"1 unreachable", "2 call 1", "4 call 2"}},
		{"load", "i32.const -1; i32.load; drop", "call 2", []string{"1 i32.load", "2 call 1", "4 call 2"}},
		{"store of a float", "i32.const -1; f32.const 1; f32.const 0; f32.div; f32.store", "call 2", []string{"1 f32.store", "2 call 1", "4 call 2"}},
		{"vector", "i32.const -1; v128.load; drop", "call 2", []string{"1 v128.load", "2 call 1", "4 call 2"}},
		{"division", "i32.const 1; i32.const 0; i32.div_u; drop", "i32.const 0; " + indirect, []string{"1 i32.div_u", "2 call 1", "4 " + indirect}},
		{"conversion", "f32.const 0x7fc00000; i32.trunc_f32_s; drop", "call 2", []string{"1 i32.trunc_f32_s", "2 call 1", "4 call 2"}},
		{"table", "i32.const 9; " + indirect, "call 2", []string{"1 " + indirect, "2 call 1", "4 call 2"}},
		{"bulk", "i32.const 0; i32.const 0; i32.const -1; memory.fill", "call 2", []string{"1 memory.fill", "2 call 1", "4 call 2"}},
		{"fuel in a loop", "loop; br 0; end", "call 2", []string{"1 br 0", "2 call 1", "4 call 2"}},
		{"fuel in calls", "", "loop; call 2; br 0; end", nil},
		{"fuel at a call of the host", "", "call 3", []string{"3", "4 call 3"}},
		{"fault of the host", "i32.const 2; call 0", "call 2", []string{"1 call 0", "2 call 1", "4 call 2"}},
		{"re-entry", "i32.const 1; call 0", "call 1", nil},
		{"re-entry and trap", "unreachable", "i32.const 1; call 0", []string{"5 unreachable", "4 call 0"}},
		{"stopped", "i32.const 4; call 0; i32.const 0; call 0", "call 2", []string{"1 call 0", "2 call 1", "4 call 2"}},
		{"exit", "i32.const 3; call 0", "call 2", []string{}},
		{"return", "", "call 2", []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := traced(test.leaf, test.run)
			for _, lines := range []bool{false, true} {
				module, err := meter.Rewrite(m.Bytes())
				if err != nil {
					t.Fatal(err)
				}
				origins, err := meter.FindOrigins(m.Bytes(), all)
				if err != nil {
					t.Fatal(err)
				}
				module.Layout.Lines = lines
				code, err := k.engine.Compile(t.Context(), module)
				if err != nil {
					t.Fatal(err)
				}
				program := machine.NewProgram(module, code)
				defer program.Close()
				i := start(t, program, turn.Limits{Fuel: 3 * meter.Slice, MemoryPages: 16}, imports)
				_, _ = i.Call("run")
				found, more := places(module, origins, i.Trace())
				if test.want == nil {
					if len(found) == 0 {
						t.Error("nothing is known")
					}
					continue
				}
				if more || len(found) != len(test.want) {
					t.Fatalf("%v, want %q", found, test.want)
				}
				for n, want := range test.want {
					var function uint32
					var text string
					if _, _ = fmt.Sscanf(want, "%d", &function); len(want) > 2 {
						text = want[2:]
					}
					if found[n].function != function {
						t.Errorf("frame %d is of function %d, want %d", n, found[n].function, function)
					}
					if !lines && found[n].offset < 0 || text == "" {
						continue // not asked for
					}
					want := wasmgen.Const(text)
					if at := found[n].offset; at < 0 || string(m.Bytes()[at:at+len(want)]) != string(want) {
						t.Errorf("frame %d is at %d, want %s", n, at, text)
					}
				}
			}
		})
	}
}
