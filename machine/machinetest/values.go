package machinetest

import (
	"math"
	"slices"
	"testing"

	"carrel/machine"
	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
	"carrel/turn"
)

const (
	i32  = wasmgen.I32
	i64  = wasmgen.I64
	f32  = wasmgen.F32
	f64  = wasmgen.F64
	v128 = wasmgen.V128
)

var types = wasmgen.Types

// values: every type goes in and out of an export and of an import whole, in
// order, whatever the engine does with what is above 32 bits.
func (k kit) values(t *testing.T) {
	mixed := types(i32, i64, f32, f64, i32, f32, i64, i32, f64, i32)
	args := []uint64{1 << 31, math.MaxUint64, uint64(math.Float32bits(-1.5)), math.Float64bits(math.Pi), 0xffffffff,
		uint64(math.Float32bits(float32(math.Inf(1)))), 7, 0, 1 << 63, 42} // the last float is -0

	m := wasmgen.NewModule()
	m.ImportFunc("env", "echo", mixed, mixed)
	through := m.Func(mixed, mixed)
	for n := range mixed {
		through.Op("local.get", int64(n))
	}
	through.Op("call", 0)
	m.Export("through", through)
	vector := m.Func(types(i32, v128, i64), types(v128, i32, v128))
	vector.Code("local.get 1; local.get 0; local.get 2; i64x2.splat")
	m.Export("vector", vector)

	var seen []uint64
	i := k.instance(t, m, plenty, machine.Imports{
		{"env", "echo"}: hostImport(valTypes(mixed), valTypes(mixed), func(_ *machine.Instance, stack []uint64) error {
			seen = slices.Clone(stack[:len(mixed)])
			stack[0], stack[4] = 5, 6
			return nil
		}),
	})
	got, err := i.Call("through", args...)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(seen, args) {
		t.Errorf("the host got %#x, want %#x", seen, args)
	}
	want := slices.Clone(args)
	want[0], want[4] = 5, 6
	if !slices.Equal(got, want) {
		t.Errorf("the export gave %#x, want %#x", got, want)
	}
	got, err = i.Call("vector", 9, 1, 2, 3)
	if want := []uint64{1, 2, 9, 3, 3}; err != nil || !slices.Equal(got, want) {
		t.Errorf("the export gave %#x, want %#x: %v", got, want, err)
	}
	if _, err := i.Call("vector", 9, 1, 2); class(t, err) != turn.Refused {
		t.Errorf("a call with too few arguments: %v", err)
	}
}

// steps: element segments, then data segments, then the start function, and all
// of it before the first call and once.
func (k kit) steps(t *testing.T) {
	m := wasmgen.NewModule()
	m.ImportFunc("env", "see", types(i32), nil)
	m.Memory(1, 1)
	table := m.Table(wasmgen.FuncRef, 2, 2)
	start := m.Func(nil, nil)
	// It tells the host what it sees: a byte of the data, and what the table's
	// function gives.
	start.Code("i32.const 8; i32.load8_u; call 0; i32.const 1; call_indirect " + itoa(m.Type(nil, types(i32))) + "; call 0")
	seven := m.Func(nil, types(i32))
	seven.Code("i32.const 7")
	run := m.Func(nil, types(i32))
	run.Code("i32.const 9; i32.load8_u")
	m.Export("run", run)
	m.Elem(table, wasmgen.Const("i32.const 1"), seven.Index)
	m.Data(wasmgen.Const("i32.const 8"), []byte{3, 4})
	m.Start(start.Index)

	var seen []uint64
	i := k.instance(t, m, plenty, machine.Imports{
		{"env", "see"}: hostImport([]meter.ValType{meter.I32}, nil, func(_ *machine.Instance, stack []uint64) error {
			seen = append(seen, stack[0])
			return nil
		}),
	})
	if seen != nil {
		t.Errorf("the guest ran before its first call: %d", seen)
	}
	for range 2 {
		if got, err := i.Call("run"); err != nil || got[0] != 4 {
			t.Errorf("run gave %d, %v", got, err)
		}
	}
	if !slices.Equal(seen, []uint64{3, 7}) {
		t.Errorf("the start function told %d, want [3 7], once", seen)
	}
}

// floats: a NaN that arithmetic made has one form wherever its bits are seen,
// and one that was only moved keeps its own.
func (k kit) floats(t *testing.T) {
	const signalling32, signalling64 = 0xffa00001, 0xfff4000000000001
	m := wasmgen.NewModule()
	m.Memory(1, 1)
	f := m.Func(types(f64, f32), types(i64, i64, i32, i64))
	f.Code(`
		i32.const 0; local.get 0; f64.const 0; f64.div; f64.store     # 0/0
		i32.const 0; i64.load
		local.get 0; f64.const 0; f64.mul; local.get 0; f64.sub; i64.reinterpret_f64 # inf*0-inf
		i32.const 8; local.get 1; local.get 1; f32.sub; f32.store
		i32.const 8; i32.load
		i32.const 16; i64.const -3377699720527871; i64.store  # moved as it is
		i32.const 24; i32.const 16; f64.load; f64.store
		i32.const 24; i64.load
	`)
	m.Export("run", f)
	i := k.instance(t, m, plenty, nil)
	for _, x := range []float64{0, math.Inf(1), math.Inf(-1), math.Float64frombits(signalling64)} {
		got, err := i.Call("run", math.Float64bits(x), signalling32)
		if err != nil {
			t.Fatal(err)
		}
		for n, bits := range got[:3] {
			canonical := uint64(meter.CanonicalNaN64)
			value := math.Float64frombits(bits)
			if n == 2 {
				canonical, value = meter.CanonicalNaN32, float64(math.Float32frombits(uint32(bits)))
			}
			if math.IsNaN(value) && bits != canonical {
				t.Errorf("run(%v): NaN %d is %#x, want %#x", x, n, bits, canonical)
			}
		}
		if got[3] != signalling64 {
			t.Errorf("a NaN that was moved became %#x", got[3])
		}
	}
}
