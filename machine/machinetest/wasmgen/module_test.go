package wasmgen_test

import (
	"context"
	"testing"

	"carrel/machine/machinetest/wasmgen"

	"github.com/tetratelabs/wazero"
)

// compile checks a module with an engine that nobody rewrote anything for.
func compile(t *testing.T, wasm []byte) error {
	t.Helper()
	ctx := context.Background()
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer runtime.Close(ctx)
	_, err := runtime.CompileModule(ctx, wasm)
	return err
}

// every is a module with one function for each instruction whose type is
// fixed, and with everything else that a module can hold.
func every() *wasmgen.Module {
	types := wasmgen.Types
	m := wasmgen.NewModule()
	log := m.ImportFunc("env", "log", types(wasmgen.I32), nil)
	m.Memory(1, 2)
	table := m.Table(wasmgen.FuncRef, 4, wasmgen.NoMax)
	refs := m.Table(wasmgen.ExternRef, 1, 4)
	global := m.Global(wasmgen.I64, true, wasmgen.Const("i64.const -1"))
	m.Global(wasmgen.V128, false, wasmgen.Const("v128.const 1 0xffffffffffffffff"))
	m.Global(wasmgen.FuncRef, true, wasmgen.Const("ref.func 0"))
	m.Data(wasmgen.Const("i32.const 8"), []byte("active"))
	m.DataPassive([]byte("passive"))
	m.Elem(table, wasmgen.Const("i32.const 1"), log, log)
	m.ElemPassive(log)
	m.ElemDeclare(log)
	m.ElemExprs(refs, wasmgen.Const("i32.const 0"), wasmgen.ExternRef, wasmgen.Const("ref.null externref"))
	m.ElemPassiveExprs(wasmgen.FuncRef, wasmgen.Const("ref.func 0"), wasmgen.Const("ref.null funcref"))
	for _, in := range wasmgen.Instrs {
		if !in.Fixed {
			continue
		}
		f := m.Func(in.Params, in.Results)
		for i := range in.Params {
			f.Op("local.get", int64(i))
		}
		var imm []int64
		if in.Name == "i8x16.shuffle" {
			imm = []int64{0, 1, 2, 3, 4, 5, 6, 7, 31, 30, 29, 28, 27, 26, 25, 24}
		}
		f.Op(in.Name, imm...)
	}
	f := m.Func(types(wasmgen.I32), types(wasmgen.I64, wasmgen.F32))
	local := f.Local(wasmgen.F64)
	f.Code(`
		block i32 ; local.get 0 ; local.get 0 ; br_table 0 0 0 ; end # comment
		if ; nop ; else ; i32.const 0x7fffffff ; call 0 ; end
		loop ; local.get 0 ; br_if 0 ; end
		i64.const 1 ; global.set 0
		i32.const 0 ; i64.load8_u 5 0 ; drop
		i32.const 0 ; v128.const 1 2 ; v128.load8_lane 1 0 15 ; drop
		i32.const 1 ; i32.const 2 ; local.get 0 ; select_t i32 ; drop
		ref.null externref ; ref.is_null ; drop
		i32.const 1 ; local.get 0 ; call_indirect 0 0
	`)
	f.F64(1.5).Op("local.set", local)
	f.Op("global.get", int64(global)).F32(-2)
	m.Export("mixed", f)
	m.ExportIndex("memory", wasmgen.KindMemory, 0)
	start := m.Func(nil, nil)
	m.Start(start.Index)
	m.FuncNames("log")
	m.Custom(1, "first", []byte("x"))
	return m
}

func TestEveryInstructionIsEncoded(t *testing.T) {
	if n := len(wasmgen.Instrs); n != 437 {
		t.Errorf("WebAssembly 2.0 has 437 instructions, select twice, the table has %d", n)
	}
	if err := compile(t, every().Bytes()); err != nil {
		t.Fatal(err)
	}
}
