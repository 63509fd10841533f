package main

import (
	"testing"

	"carrel/machine/machinetest/wasmgen"
)

// A program that jumps has what it asks for, whatever the types that it calls.
func TestInspectJumps(t *testing.T) {
	i32, f64 := wasmgen.I32, wasmgen.F64
	m := wasmgen.NewModule()
	m.ImportFunc("env", "invoke_vid", []wasmgen.ValType{i32, i32, f64}, nil)
	m.ImportFunc("env", "invoke_di", []wasmgen.ValType{i32, i32}, []wasmgen.ValType{f64})
	m.ImportFunc("env", "emscripten_longjmp", []wasmgen.ValType{i32, i32}, nil)
	m.ImportFunc("env", "invoke_vi", []wasmgen.ValType{i32, f64}, nil) // not what it says
	m.Table(wasmgen.FuncRef, 1, 1)
	m.Export("_start", m.Func(nil, nil))
	r := inspect(m.Bytes())
	for n, want := range []bool{true, true, true, false} {
		if i := r.Imports[n]; i.Offered != want {
			t.Errorf("%s.%s %s: offered %v", i.Module, i.Name, i.Type, i.Offered)
		}
	}
	if len(r.Refused) != 1 || len(r.NotImageable) != 0 {
		t.Errorf("refused for %v, not imageable for %v", r.Refused, r.NotImageable)
	}
}
