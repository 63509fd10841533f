//go:build wasmtime && cgo

package wasmtime

/*
#cgo linux LDFLAGS: -Wl,--unresolved-symbols=ignore-all
#cgo darwin LDFLAGS: -Wl,-undefined,dynamic_lookup
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	_ "github.com/bytecodealliance/wasmtime-go/v39" // links the library that api.h declares

	"carrel/machine"
	"carrel/machine/meter"
)

// New is the engine. Errors: machine.ErrUnsupported if the threads of this
// process cannot have the stack that the contract's depth limit needs.
func New(opts Options) (machine.Engine, error) {
	if size := uint64(C.carrel_thread_stack()); size < stackRoom {
		return nil, fmt.Errorf("wasmtime: threads of this process have %d KiB of stack and %d KiB are needed (set `ulimit -s %d` before starting it): %w",
			size>>10, stackRoom>>10, stackRoom>>10, machine.ErrUnsupported)
	}
	return &engine{c: C.carrel_engine_new(wasmStack, C.bool(opts.Workers > 1))}, nil
}

type engine struct{ c *C.wasm_engine_t }

func (e *engine) Name() string    { return "wasmtime" }
func (e *engine) Version() string { return "wasmtime-go " + Version }

func (e *engine) Close() error {
	if e.c != nil {
		C.wasm_engine_delete(e.c)
		e.c = nil
	}
	return nil
}

func (e *engine) Compile(_ context.Context, module *meter.Module) (machine.Code, error) {
	var out C.carrel_outcome
	var compiled *C.wasmtime_module_t
	C.carrel_compile(e.c, (*C.uint8_t)(unsafe.SliceData(module.Wasm)), C.size_t(len(module.Wasm)), &compiled, &out)
	if err := failure(&out); err != nil {
		return nil, err
	}
	return e.link(module, compiled)
}

// Restore makes code of a file that holds what Serialize gave, in the same
// version of the engine on the same kind of processor; anything else is an
// error. The file is mapped and trusted: code that this engine did not make can
// do anything.
func (e *engine) Restore(module *meter.Module, path string) (machine.Code, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var out C.carrel_outcome
	var compiled *C.wasmtime_module_t
	C.carrel_deserialize(e.c, name, &compiled, &out)
	if err := failure(&out); err != nil {
		return nil, err
	}
	return e.link(module, compiled)
}

// Serialize gives the machine code of code that this engine compiled.
func (e *engine) Serialize(compiled machine.Code) ([]byte, error) {
	var out C.carrel_outcome
	var vec C.wasm_byte_vec_t
	C.carrel_serialize(compiled.(*code).module, &vec, &out)
	if err := failure(&out); err != nil {
		return nil, err
	}
	defer C.wasm_byte_vec_delete(&vec)
	return C.GoBytes(unsafe.Pointer(vec.data), C.int(vec.size)), nil
}

// link binds the imports, once for all instances.
func (e *engine) link(module *meter.Module, compiled *C.wasmtime_module_t) (_ machine.Code, err error) {
	c := &code{engine: e, module: compiled, types: map[string]*C.carrel_type{}}
	defer func() {
		if err != nil {
			_ = c.Close()
		}
	}()
	linker := C.wasmtime_linker_new(e.c)
	defer C.wasmtime_linker_delete(linker)
	imports := append(module.Imports[:len(module.Imports):len(module.Imports)],
		meter.Import{Module: meter.RefuelModule, Name: meter.RefuelName, Type: refuelType})
	linked := map[[2]string]bool{}
	for index, i := range imports {
		if name := [2]string{i.Module, i.Name}; linked[name] {
			continue
		} else {
			linked[name] = true
		}
		if err := link(linker, index, i); err != nil {
			return nil, fmt.Errorf("bind import %s.%s: %w", i.Module, i.Name, err)
		}
	}
	var out C.carrel_outcome
	C.carrel_link_done(linker, compiled, &c.pre, &out)
	if err := failure(&out); err != nil {
		return nil, err
	}
	for _, exports := range [][]meter.Export{module.Exports, module.Invokes} {
		for _, e := range exports {
			if e.Kind == meter.KindFunc {
				c.types[e.Name] = newType(e.Type)
			}
		}
	}
	for _, name := range []string{meter.TablesExport, meter.StartExport} {
		c.types[name] = newType(meter.FuncType{})
	}
	c.types[meter.GrowExport] = newType(meter.FuncType{Params: []meter.ValType{meter.I32}, Results: []meter.ValType{meter.I32}})
	return c, nil
}

var refuelType = meter.FuncType{Params: []meter.ValType{meter.I64, meter.I64}, Results: []meter.ValType{meter.I64}}

func link(linker *C.wasmtime_linker_t, index int, i meter.Import) error {
	t := newType(i.Type)
	defer C.free(unsafe.Pointer(t))
	var out C.carrel_outcome
	C.carrel_link(linker, char(i.Module), C.size_t(len(i.Module)), char(i.Name), C.size_t(len(i.Name)),
		t, C.uintptr_t(index), &out)
	runtime.KeepAlive(i)
	return failure(&out)
}

var kinds = map[meter.ValType]C.uint8_t{
	meter.I32: C.VAL_I32, meter.I64: C.VAL_I64, meter.F32: C.VAL_F32, meter.F64: C.VAL_F64,
	meter.V128: C.VAL_V128, meter.FuncRef: C.TYPE_FUNCREF, meter.ExternRef: C.TYPE_EXTERNREF,
}

// newType puts a function type into memory of C, to be freed.
func newType(t meter.FuncType) *C.carrel_type {
	n := len(t.Params) + len(t.Results)
	c := (*C.carrel_type)(C.malloc(C.size_t(unsafe.Sizeof(C.carrel_type{})) + C.size_t(n)))
	c.nparams, c.nresults = C.uint32_t(len(t.Params)), C.uint32_t(len(t.Results))
	c.kinds = (*C.uint8_t)(unsafe.Add(unsafe.Pointer(c), unsafe.Sizeof(C.carrel_type{})))
	out := unsafe.Slice(c.kinds, n)
	for i, v := range t.Params {
		out[i] = kinds[v]
	}
	for i, v := range t.Results {
		out[len(t.Params)+i] = kinds[v]
	}
	return c
}

func char(s string) *C.char { return (*C.char)(unsafe.Pointer(unsafe.StringData(s))) }

// failure makes an error of an outcome outside of a call, and frees it.
func failure(out *C.carrel_outcome) error {
	if out.status == C.CARREL_OK {
		return nil
	}
	return errors.New(text(out))
}

func text(out *C.carrel_outcome) string {
	s := C.GoStringN(out.text.data, C.int(out.text.size))
	if out.text.size > 0 {
		C.wasm_byte_vec_delete(&out.text)
	}
	for len(s) > 0 && s[len(s)-1] == 0 { // messages of traps end in one
		s = s[:len(s)-1]
	}
	return s
}
