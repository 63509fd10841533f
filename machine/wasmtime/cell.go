//go:build wasmtime && cgo

package wasmtime

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"runtime"
	"runtime/cgo"
	"unsafe"

	"carrel/machine"
	"carrel/machine/page"
	"carrel/turn"
)

const (
	// wasmStack is how much stack guests may use. What the contract lets them
	// hold is 8 * meter.WeightMax bytes, 4 MiB; frames take more than their
	// weight, above all where the compiler keeps values alive that the program
	// computes twice. Beyond this, which only hostile programs reach, the answer
	// is a worker fault.
	wasmStack = 96 << 20
	// stackRoom is how much stack a thread must have left when a guest is
	// entered: the guest's, and that of host functions and re-entries.
	stackRoom = wasmStack + 4<<20
)

type code struct {
	engine *engine
	module *C.wasmtime_module_t
	pre    *C.wasmtime_instance_pre_t
	types  map[string]*C.carrel_type // of exported functions
}

func (c *code) Guarded() bool { return true }

func (c *code) Instantiate(host machine.Host, memory *page.Memory) (machine.Cell, error) {
	cell := &cell{code: c, host: host, memory: memory}
	cell.handle = cgo.NewHandle(cell)
	var base unsafe.Pointer
	var size int
	if memory != nil {
		base, size = memory.Base(), len(memory.Bytes())
	}
	var out C.carrel_outcome
	cell.store = C.carrel_instantiate(c.engine.c, c.pre, C.uintptr_t(cell.handle),
		(*C.uint8_t)(base), C.size_t(size), &cell.instance, &out)
	if err := failure(&out); err != nil {
		cell.handle.Delete()
		return nil, err
	}
	return cell, nil
}

// carrelGrow grows the memory of a cell, for wasmtime.
//
//export carrelGrow
func carrelGrow(handle C.uintptr_t, size C.size_t) C.bool {
	return cgo.Handle(handle).Value().(*cell).memory.Grow(uint64(size)) != nil
}

func (c *code) Close() error {
	if c.pre != nil {
		C.wasmtime_instance_pre_delete(c.pre)
	}
	C.wasmtime_module_delete(c.module)
	for _, t := range c.types {
		C.free(unsafe.Pointer(t))
	}
	*c = code{}
	return nil
}

// A cell is one store with one instance in it.
type cell struct {
	code     *code
	host     machine.Host
	handle   cgo.Handle
	store    *C.wasmtime_store_t
	instance C.wasmtime_instance_t
	memory   *page.Memory

	functions map[string]*function
	globals   map[string]*C.wasmtime_global_t
	entries   int   // calls that have not returned
	traced    bool  // a trap has told where the guest was, in all of them
	unwinding error // of the host, on its way from Import to Invoke

	// spare is the trap that an error of the host unwound the guest with, for the
	// next one. What is thrown for the first time is given a description of all
	// of the stack, which takes a quarter of a microsecond for each frame.
	spare *C.wasm_trap_t
}

type function struct {
	c     C.wasmtime_func_t
	kinds *C.carrel_type
}

func (c *cell) export(name string) (*C.wasmtime_extern_t, bool) {
	item := new(C.wasmtime_extern_t)
	ok := C.carrel_export(c.store, &c.instance, char(name), C.size_t(len(name)), item)
	return item, bool(ok)
}

func (c *cell) Invoke(export string, stack []uint64) error {
	f, err := c.function(export)
	if err != nil {
		return err
	}
	c.entries++
	defer func() { c.entries-- }()
	var out C.carrel_outcome
	c.call(f, stack, &out)
	defer func() {
		if out.trap != nil {
			C.wasm_trap_delete(out.trap)
		}
	}()
	if err := c.unwinding; err != nil {
		c.unwinding = nil
		if machine.Traced(err) {
			return &machine.Unwinding{Err: err, Frames: c.frames(out.trap)}
		}
		if c.spare == nil {
			c.spare, out.trap = out.trap, nil
		}
		return fmt.Errorf("host: %w", err)
	}
	switch out.status {
	case C.CARREL_OK:
		return nil
	case C.CARREL_TRAP:
		return c.trap(&out)
	case C.CARREL_NO_STACK:
		return &machine.Trap{Class: turn.Worker, Text: "the thread's stack is too small"}
	}
	return &machine.Trap{Class: turn.Worker, Text: text(&out)}
}

// call enters the guest. Where the thread has too little stack, which only the
// first one of a process has, it is done on another.
func (c *cell) call(f *function, stack []uint64, out *C.carrel_outcome) {
	room := C.size_t(0) // a re-entry runs on what the first entry found
	if c.entries == 1 {
		room = stackRoom
	}
	enter := func() {
		C.carrel_call(c.store, &f.c, f.kinds, (*C.uint64_t)(unsafe.SliceData(stack)), room, out)
	}
	if enter(); out.status != C.CARREL_NO_STACK {
		return
	}
	runtime.LockOSThread() // the other goroutine cannot run here, then
	defer runtime.UnlockOSThread()
	done := make(chan struct{})
	go func() {
		defer close(done)
		*out = C.carrel_outcome{}
		enter()
	}()
	<-done
}

//export carrelImport
func carrelImport(handle, index C.uintptr_t, values *C.uint64_t, n C.size_t) *C.wasm_trap_t {
	c := cgo.Handle(handle).Value().(*cell)
	err := c.serve(int(index), unsafe.Slice((*uint64)(values), n))
	if err == nil {
		return nil
	}
	c.unwinding = err
	if trap := c.spare; trap != nil && !machine.Traced(err) {
		c.spare = nil
		return trap
	}
	return C.wasmtime_trap_new_code(C.TRAP_INTERRUPT)
}

// serve calls the host; a panic of it must not cross frames of C.
func (c *cell) serve(index int, stack []uint64) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &machine.Trap{Class: turn.Worker, Text: fmt.Sprintf("the host panicked: %v", p)}
		}
	}()
	return c.host.Import(index, stack)
}

func (c *cell) function(export string) (*function, error) {
	if f, ok := c.functions[export]; ok {
		return f, nil
	}
	kinds, ok := c.code.types[export]
	if !ok {
		return nil, fmt.Errorf("no exported function %q", export)
	}
	item, ok := c.export(export)
	if !ok || item.kind != C.EXTERN_FUNC {
		return nil, fmt.Errorf("no exported function %q", export)
	}
	f := &function{*(*C.wasmtime_func_t)(unsafe.Pointer(&item.of)), kinds}
	if c.functions == nil {
		c.functions = map[string]*function{}
	}
	c.functions[export] = f
	return f, nil
}

func (c *cell) Global(export string) uint64 {
	return uint64(C.carrel_global_get(c.store, c.global(export)))
}

func (c *cell) SetGlobal(export string, bits uint64) {
	C.carrel_global_set(c.store, c.global(export), C.uint64_t(bits))
}

func (c *cell) global(export string) *C.wasmtime_global_t {
	if g, ok := c.globals[export]; ok {
		return g
	}
	item, ok := c.export(export)
	if !ok || item.kind != C.EXTERN_GLOBAL {
		panic("no exported global " + export)
	}
	g := (*C.wasmtime_global_t)(unsafe.Pointer(&item.of))
	if c.globals == nil {
		c.globals = map[string]*C.wasmtime_global_t{}
	}
	c.globals[export] = g
	return g
}

func (c *cell) Close() error {
	if c.store != nil {
		if c.spare != nil {
			C.wasm_trap_delete(c.spare)
		}
		C.wasmtime_store_delete(c.store)
		c.handle.Delete()
		c.store = nil
	}
	return nil
}

// classes are wasmtime's trap codes that are faults of a guest; the rest, a
// stack overflow above all, are the engine's own trouble.
var classes = map[int]turn.Class{
	1:  turn.Memory,
	3:  turn.Table,
	4:  turn.Table, // a null entry
	5:  turn.Table, // a wrong type
	6:  turn.Overflow,
	7:  turn.Divide,
	8:  turn.Conversion,
	9:  turn.Unreachable,
	14: turn.Table, // a null reference
}

func (c *cell) trap(out *C.carrel_outcome) *machine.Trap {
	if class, ok := classes[int(out.code)]; ok {
		return &machine.Trap{Class: class, Frames: c.frames(out.trap)}
	}
	C.wasm_trap_message(out.trap, &out.text) // with a stack trace in words
	return &machine.Trap{Class: turn.Worker, Text: text(out)}
}

// frames are where a trap found the guest. The first one has them for all calls
// under way: the Invokes around get none.
func (c *cell) frames(trap *C.wasm_trap_t) []machine.Frame {
	if trap == nil || c.traced {
		return nil
	}
	c.traced = true
	var n C.size_t
	found := C.carrel_frames(trap, &n)
	defer C.free(unsafe.Pointer(found))
	frames := make([]machine.Frame, n)
	for i, f := range unsafe.Slice(found, n) {
		frames[i] = machine.Frame{Function: uint32(f.function), Offset: int(f.offset)}
	}
	return frames
}
