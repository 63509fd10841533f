package meter_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
)

// TestRefusals builds programs that this machine does not run, most of them at
// one beyond a limit, and the same at the limit, which it does.
func TestRefusals(t *testing.T) {
	body := func(code string) func(*wasmgen.Module, int) {
		return func(m *wasmgen.Module, n int) { m.Func(nil, nil).Code(strings.Repeat(code+"\n", n)) }
	}
	for _, c := range []struct {
		name   string
		build  func(m *wasmgen.Module, n int)
		limit  int // built with this it runs; with one more it is refused
		reason string
	}{
		{"parameters", func(m *wasmgen.Module, n int) { m.Func(i32s(n), nil) }, 255, "parameters"},
		{"results", func(m *wasmgen.Module, n int) { m.Func(nil, i32s(n)).Code("unreachable") }, 255, "results"},
		{"locals", func(m *wasmgen.Module, n int) {
			f := m.Func(nil, nil)
			for range n {
				f.Local(wasmgen.I32)
			}
		}, 20_000, "too many locals"},
		{"nested blocks", func(m *wasmgen.Module, n int) {
			m.Func(nil, nil).Code(strings.Repeat("block\n", n) + strings.Repeat("end\n", n))
		}, 20_000, "blocks nested"},
		{"nested loops", func(m *wasmgen.Module, n int) {
			m.Func(nil, nil).Code(strings.Repeat("loop\n", n) + strings.Repeat("end\n", n))
		}, 500, "loops nested"},
		{"branch targets", func(m *wasmgen.Module, n int) {
			m.Func(nil, nil).Code("i32.const 0; br_table" + strings.Repeat(" 0", n+1))
		}, 16_384, "branch targets"},
		{"operands", func(m *wasmgen.Module, n int) {
			m.Func(nil, nil).Code(strings.Repeat("i32.const 0\n", n) + strings.Repeat("drop\n", n))
		}, 20_000, "operands on the stack"},
		{"a body", func(m *wasmgen.Module, n int) {
			m.Func(nil, nil).Bytes(slices.Repeat([]byte{1}, n-2)...)
		}, 4 << 20, "function body"},
		{"tables", func(m *wasmgen.Module, n int) {
			for range n {
				m.Table(wasmgen.FuncRef, 0, 0)
			}
		}, 16, "tables"},
		{"entries of a table", func(m *wasmgen.Module, n int) { m.Table(wasmgen.FuncRef, uint64(n), wasmgen.NoMax) }, 1_000_000, "entries"},
		{"pages of memory", func(m *wasmgen.Module, n int) { m.Memory(uint64(n), wasmgen.NoMax) }, 32_768, "pages"},
		{"memories", func(m *wasmgen.Module, n int) {
			for range n {
				m.Memory(0, 1)
			}
		}, 1, "multiple memories"},
		{"length of a name", func(m *wasmgen.Module, n int) {
			m.ExportIndex(strings.Repeat("x", n), wasmgen.KindFunc, m.Func(nil, nil).Index)
		}, 65_536, "a name of"},
		{"constant expression", func(m *wasmgen.Module, n int) {
			// n instructions, the end not counted
			m.Global(wasmgen.I32, false, wasmgen.Const("i32.const 1\n"+strings.Repeat("i32.const 1\ni32.add\n", (n-1)/2)+strings.Repeat("i32.const 1\n", (n-1)%2)))
		}, 63, "constant expression"},
		{"relaxed SIMD", body("unreachable\n"), 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := wasmgen.NewModule()
			c.build(m, c.limit)
			if _, err := meter.Rewrite(m.Bytes()); err != nil {
				t.Fatalf("at the limit of %d: %v", c.limit, err)
			}
			if c.reason == "" {
				return
			}
			m = wasmgen.NewModule()
			c.build(m, c.limit+1)
			refused(t, m.Bytes(), c.reason)
		})
	}
}

// refused checks that a program is refused for a reason.
func refused(t *testing.T, wasm []byte, reason string) {
	t.Helper()
	_, err := meter.Rewrite(wasm)
	refusal := (*meter.Refusal)(nil)
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal", err)
	}
	if !strings.Contains(refusal.Reason, reason) {
		t.Errorf("refused because %q, want %q", refusal.Reason, reason)
	}
	if refusal.Offset < -1 || refusal.Offset > len(wasm) {
		t.Errorf("offset %d in %d bytes", refusal.Offset, len(wasm))
	}
}

// TestForeign are programs that are none of ours to run.
func TestForeign(t *testing.T) {
	function := func(code ...byte) []byte {
		m := wasmgen.NewModule()
		m.Memory(1, 1)
		m.Func(nil, nil).Raw = append(append([]byte{0}, code...), 0x0b)
		return m.Bytes()
	}
	reserved := wasmgen.NewModule()
	reserved.Export("carrel:fuel", reserved.Func(nil, nil))
	machines := wasmgen.NewModule()
	machines.ImportFunc("carrel:host", "refuel", []wasmgen.ValType{wasmgen.I64, wasmgen.I64}, []wasmgen.ValType{wasmgen.I64})
	imported := wasmgen.NewModule()
	imported.Import("env", "memory", wasmgen.KindMemory, []byte{0, 1})
	component := []byte{0, 'a', 's', 'm', 0x0d, 0, 1, 0}
	for name, c := range map[string]struct {
		wasm   []byte
		reason string
	}{
		"nothing":             {nil, "not a WebAssembly module"},
		"ELF":                 {[]byte("\x7fELF\x02\x01\x01\x00"), "not a WebAssembly module"},
		"component":           {component, "component"},
		"version 2":           {[]byte{0, 'a', 's', 'm', 2, 0, 0, 0}, "unknown binary version"},
		"relaxed SIMD":        {function(0xfd, 0x80, 0x02), "relaxed SIMD"},
		"atomics":             {function(0xfe, 0x03, 0x00), "illegal opcode 0xfe"},
		"exceptions":          {function(0x06, 0x40, 0x0b), "illegal opcode 0x06"},
		"tail calls":          {function(0x12, 0x00), "illegal opcode 0x12"},
		"our export":          {reserved.Bytes(), "names that start with"},
		"our import":          {machines.Bytes(), "names that start with"},
		"imported memory":     {imported.Bytes(), "only functions can be imported"},
		"shared memory":       {append(slices.Clone(wasmgen.Header), 5, 4, 1, 3, 1, 1), "shared"},
		"64-bit memory":       {append(slices.Clone(wasmgen.Header), 5, 3, 1, 4, 1), "64-bit"},
		"section of 4 GiB":    {append(slices.Clone(wasmgen.Header), 1, 0xff, 0xff, 0xff, 0xff, 0x0f), "unexpected end"},
		"types announced":     {append(slices.Clone(wasmgen.Header), 1, 4, 0xff, 0xff, 0x3f, 0x60), "limit"},
		"functions not there": {append(slices.Clone(wasmgen.Header), 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0), "inconsistent lengths"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, c.wasm, c.reason) })
	}
}

// TestTruncated cuts a module at every byte.
func TestTruncated(t *testing.T) {
	wasm := wasmgen.Generate(1, wasmgen.Options{})
	ends := map[int]bool{}
	for cut := range len(wasm) {
		if _, err := meter.Rewrite(wasm[:cut]); err == nil {
			ends[cut] = true // between two sections, before the code needs them
		} else if refusal := (*meter.Refusal)(nil); !errors.As(err, &refusal) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
	if len(ends) > 3 {
		t.Errorf("%d prefixes of a module are modules", len(ends))
	}
}

func TestImageable(t *testing.T) {
	build := func(code string) *meter.Module {
		m := wasmgen.NewModule()
		m.Memory(1, 1)
		m.Table(wasmgen.FuncRef, 4, 8)
		m.Global(wasmgen.FuncRef, true, wasmgen.Const("ref.null 112"))
		m.Global(wasmgen.V128, true, wasmgen.Const("v128.const 1 2"))
		f := m.Func(nil, nil).Code(code)
		m.ElemPassive(f.Index)
		m.Export("f", f)
		module, err := meter.Rewrite(m.Bytes())
		if err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		return module
	}
	for code, instruction := range map[string]string{
		"nop":                            "",
		"i32.const 0; table.get 0; drop": "",
		"global.get 1; global.set 1":     "",
		"unreachable; i32.const 0; ref.null 112; table.set 0":   "",
		"i32.const 0; ref.null 112; table.set 0":                "table.set",
		"ref.null 112; i32.const 1; table.grow 0; drop":         "table.grow",
		"i32.const 0; ref.null 112; i32.const 1; table.fill 0":  "table.fill",
		"i32.const 0; i32.const 1; i32.const 1; table.copy 0 0": "table.copy",
		"i32.const 0; i32.const 0; i32.const 1; table.init 0 0": "table.init",
		"ref.null 112; global.set 0":                            "global.set",
	} {
		module := build(code)
		switch reasons := module.NotImageable; {
		case instruction == "" && len(reasons) > 0:
			t.Errorf("%s: not imageable: %v", code, reasons)
		case instruction != "" && (len(reasons) != 1 || reasons[0].Instruction != instruction):
			t.Errorf("%s: reasons %v, want %s", code, reasons, instruction)
		}
	}
	if g := build("nop").Globals; len(g) != 1 || g[0].Type != meter.V128 || len(g[0].Exports) != 2 {
		t.Errorf("globals %v, want one v128 in two parts", g)
	}
}
