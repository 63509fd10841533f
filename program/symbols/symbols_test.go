package symbols_test

import (
	"slices"
	"strings"
	"testing"

	"carrel/machine/machinetest/wasmgen"
	"carrel/program/symbols"
)

// described is a program of four functions, 1 to 4, in which the first is put
// together from inlined code, and the last has no description.
func described() []byte {
	m := wasmgen.NewModule()
	m.ImportFunc("env", "host", nil, nil)
	for range 4 {
		m.Func(nil, nil).Code("nop; nop; nop")
	}
	return wasmgen.Debug(m.Bytes(),
		wasmgen.Described{Name: "outer", Inlined: "_ZN5space5innerEi"},
		wasmgen.Described{Name: "middle"},
		wasmgen.Described{Name: "_RNvCs1234_7mycrate3foo"})
}

// body is where the functions of described are: each has a byte for its locals,
// and one for each instruction.
func body(wasm []byte, function int) int {
	at := strings.Index(string(wasm), "\x05\x00\x01\x01\x01\x0b")
	return at + 1 + function*6
}

func TestCalls(t *testing.T) {
	wasm := described()
	table := symbols.Read(wasm)
	const file = "src/test.c"
	for _, test := range []struct {
		function uint32
		offset   int
		want     []symbols.Call
	}{
		{1, body(wasm, 0) + 2, []symbols.Call{
			{Function: "space::inner", File: file, Line: wasmgen.LineOf(0, 2), Inlined: true},
			{Function: "outer", File: file, Line: wasmgen.InlinedAt},
		}},
		{2, body(wasm, 1), []symbols.Call{{Function: "middle", File: file, Line: wasmgen.LineOf(1, 0)}}},
		{2, body(wasm, 1) + 4, []symbols.Call{{Function: "middle", File: file, Line: wasmgen.LineOf(1, 4)}}},
		{2, body(wasm, 1) + 5, []symbols.Call{{Function: "middle"}}}, // not in it
		{2, body(wasm, 0), []symbols.Call{{Function: "middle"}}},
		{2, -1, []symbols.Call{{Function: "middle"}}},
		{3, -1, []symbols.Call{{Function: "mycrate::foo"}}},
		{4, body(wasm, 3), []symbols.Call{{}}},
		{0, body(wasm, 0), []symbols.Call{{}}},
		{1 << 31, body(wasm, 0), []symbols.Call{{}}},
	} {
		if got := table.Calls(test.function, test.offset); !slices.Equal(got, test.want) {
			t.Errorf("function %d at %d: %+v, want %+v", test.function, test.offset, got, test.want)
		}
	}
}

// What was moved after it was described is not believed.
func TestMoved(t *testing.T) {
	wasm := []byte(strings.Replace(string(described()), "\x05\x00\x01\x01\x01\x0b", "\x06\x00\x01\x01\x01\x01\x0b", 1))
	wasm[strings.Index(string(wasm), "\x06\x00\x01\x01\x01\x01\x0b")-2]++ // the size of the section
	table := symbols.Read(wasm)
	if got := table.Calls(2, body(wasm, 1)+1); len(got) != 1 || got[0] != (symbols.Call{Function: "middle"}) {
		t.Errorf("%+v", got)
	}
}

func TestName(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"main", "main"},
		{"_ZNKSt8ios_base4goodEv", "std::ios_base::good"},
		{"_ZN4core9panicking5panic17h0123456789abcdefE", "core::panicking::panic"},
		{"core::panicking::panic::h0123456789abcdef", "core::panicking::panic"},
		{"main.main", "main.main"},
		{"_Z", "_Z"},
		{"\xff", "\uFFFD"},
		{strings.Repeat("é", 1000), strings.Repeat("é", 96) + "…"},
		{"_Z1f" + strings.Repeat("P", 1<<20), "_Z1f" + strings.Repeat("P", 192) + "…"},
	} {
		m := wasmgen.NewModule()
		f := m.Func(nil, nil)
		wasm := wasmgen.Debug(func() []byte { f.Code(""); return m.Bytes() }(), wasmgen.Described{Name: test.name})
		if got := symbols.Read(wasm).Name(0); got != test.want {
			t.Errorf("%.40q is %q, want %q", test.name, got, test.want)
		}
	}
}

// The name section goes before the name that a function is exported by.
func TestExported(t *testing.T) {
	m := wasmgen.NewModule()
	m.FuncNames("inside")
	f := m.Func(nil, nil)
	m.Export("outside", f)
	m.Export("run", m.Func(nil, nil))
	table := symbols.Read(m.Bytes())
	if first, second := table.Name(0), table.Name(1); first != "inside" || second != "run" {
		t.Errorf("%q and %q, want inside and run", first, second)
	}
}

// Whatever a program says of itself, there is an answer, and an end.
func FuzzRead(f *testing.F) {
	f.Add(described())
	f.Fuzz(func(t *testing.T, wasm []byte) {
		table := symbols.Read(wasm)
		for function := range uint32(6) {
			for offset := -1; offset < min(len(wasm), 200); offset++ {
				if len(table.Calls(function, offset)) == 0 {
					t.Fatal("no call")
				}
			}
		}
	})
}
