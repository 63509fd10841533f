package meter_test

import (
	"fmt"
	"slices"
	"testing"

	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
)

// functions is a module of n functions: types is the content of its type
// section, of says which type a function has, and body gives its locals, code
// and end. The builder of wasmgen is too slow for so many.
func functions(n int, types []byte, of func(i int) uint32, body func(i int) []byte) []byte {
	declared, code := wasmgen.U32(nil, uint32(n)), wasmgen.U32(nil, uint32(n))
	for i := range n {
		declared = wasmgen.U32(declared, of(i))
		b := body(i)
		code = append(wasmgen.U32(code, uint32(len(b))), b...)
	}
	b := wasmgen.Section(slices.Clone(wasmgen.Header), 1, types)
	b = wasmgen.Section(b, 3, declared)
	return wasmgen.Section(b, 10, code)
}

// TestHostile are programs that a rewriter with a quadratic step, or without a
// limit of what it writes, does not come to an end with.
func TestHostile(t *testing.T) {
	nothing, first := []byte{1, 0x60, 0, 0}, func(int) uint32 { return 0 }
	const types = 100_000
	many := wasmgen.U32(nil, types) // no two of them equal
	for i := range types {
		many = append(many, 0x60, 0, 10)
		for k := range 10 {
			many = append(many, byte(0x7f-i>>(2*k)%4))
		}
	}
	self := func(i int) []byte { return append(wasmgen.U32([]byte{0, 0x10}, uint32(i)), 0x0b) }
	for _, c := range []struct {
		name   string
		wasm   []byte
		reason string // of a refusal, if it is one
	}{
		{"functions of many types", functions(types, many, func(i int) uint32 { return uint32(i) }, func(int) []byte {
			return []byte{0, 3, 0x40, 0x0b, 0, 0x0b} // loop, end, unreachable
		}), ""},
		{"blocks of many types", functions(10, many, first, func(i int) []byte {
			b := []byte{0}
			for k := range types / 10 {
				b = wasmgen.S64(append(b, 3), int64(i*types/10+k)) // loop, unreachable, end
				b = append(b, 0, 0x0b)
				b = append(b, slices.Repeat([]byte{0x1a}, 10)...)
			}
			return append(b, 0, 0x0b)
		}), ""},
		{"a function of nested loops", functions(1, nothing, first, func(int) []byte { return nest(200) }), "a function body of more than"},
		{"loops around much", functions(2, nothing, first, func(i int) []byte {
			b := []byte{0}
			if i == 0 {
				b = append(b, slices.Repeat([]byte{3, 0x40}, 500)...)
				b = append(b, slices.Repeat([]byte{2, 0x40, 0x0b}, 1<<20)...)
				b = append(b, 0x10, 1) // call 1
				b = append(b, slices.Repeat([]byte{0x0b}, 500)...)
			}
			return append(b, 0x0b)
		}), ""},
		{"recursive functions", functions(500_000, nothing, first, self), "functions with those that are added"},
		{"fewer recursive functions", functions(499_999, nothing, first, self), ""},
		{"a circle of functions", functions(500_000, nothing, first, func(i int) []byte { return self((i + 1) % 500_000) }), ""},
		{"locals", functions(100_000, nothing, first, func(int) []byte { return append(wasmgen.U32([]byte{1}, 20_000), 0x7f, 0x0b) }), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.reason != "" {
				refused(t, c.wasm, c.reason)
			} else if _, err := meter.Rewrite(c.wasm); err != nil {
				t.Error(err)
			}
		})
	}
}

// nest is a function of n nests of 500 loops; the innermost uses 48 locals.
func nest(n int) []byte {
	b := append(wasmgen.U32([]byte{1}, 48), 0x7e)
	for range n {
		b = append(b, slices.Repeat([]byte{3, 0x40}, 500)...)
		for local := range 48 {
			b = append(wasmgen.U32(append(b, 0x20), uint32(local)), 0x1a)
		}
		b = append(b, slices.Repeat([]byte{0x0b}, 500)...)
	}
	return append(b, 0x0b)
}

// TestAddedSegments: what rewriting adds counts against the limit of segments.
func TestAddedSegments(t *testing.T) {
	for _, kind := range []string{"data", "elem"} {
		for n, reason := range map[int]string{99_999: "", 100_000: "segments with those that are added"} {
			t.Run(fmt.Sprintf("%s/%d", kind, n), func(t *testing.T) {
				m := wasmgen.NewModule()
				m.Memory(1, 1)
				m.Table(wasmgen.FuncRef, 1, 1)
				for range n {
					if kind == "data" {
						m.DataPassive(nil)
					} else {
						m.ElemPassive()
					}
				}
				use := map[string]string{"data": "data.drop 0", "elem": "elem.drop 0; i32.const 0; i32.const 0; i32.const 0; table.init 0 0"}
				m.Func(nil, nil).Code(use[kind])
				if reason != "" {
					refused(t, m.Bytes(), reason)
				} else if _, err := meter.Rewrite(m.Bytes()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
