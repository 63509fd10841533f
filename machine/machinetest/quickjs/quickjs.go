// Package quickjs drives npm quickjs-wasi's module, QuickJS as a reactor, as its
// own JavaScript drives it: for tests and benchmarks that want a real program of
// some size. It is no personality; guest/js is to be one.
package quickjs

import (
	"encoding/binary"
	"fmt"
)

// A Guest is a running instance of the module, in whatever engine.
type Guest interface {
	// Call calls an exported function that has at most one result.
	Call(export string, args ...uint64) (uint64, error)
	Memory() []byte
}

// An Import is a function that the module asks of its host. Types are one byte a
// value, 'i' for i32 and 'l' for i64; parameters are at the start of stack, and
// results replace them.
type Import struct {
	Module, Name    string
	Params, Results string
	Run             func(memory []byte, stack []uint64)
}

func answer(value uint64) func([]byte, []uint64) {
	return func(_ []byte, stack []uint64) { stack[0] = value }
}

// Imports are what the module asks of its host: a clock that stands still, no chance, no modules, no host functions.
var Imports = []Import{
	{"env", "host_get_timezone_offset", "ii", "i", answer(0)},
	{"env", "host_interrupt", "", "i", answer(0)},
	{"env", "host_promise_rejection", "iii", "", func([]byte, []uint64) {}},
	{"env", "host_module_normalize", "ii", "i", answer(0)},
	{"env", "host_module_load", "ii", "i", answer(0)},
	{"env", "host_call", "iiiii", "i", answer(0)},
	{"wasi_snapshot_preview1", "clock_time_get", "ili", "i", func(memory []byte, stack []uint64) {
		binary.LittleEndian.PutUint64(memory[uint32(stack[2]):], 0)
		stack[0] = 0
	}},
	{"wasi_snapshot_preview1", "fd_close", "i", "i", answer(0)},
	{"wasi_snapshot_preview1", "fd_fdstat_get", "ii", "i", answer(8)},
	{"wasi_snapshot_preview1", "fd_seek", "ilii", "i", answer(8)},
	{"wasi_snapshot_preview1", "fd_write", "iiii", "i", answer(8)},
	{"wasi_snapshot_preview1", "random_get", "ii", "i", func(memory []byte, stack []uint64) {
		clear(memory[uint32(stack[0]):][:uint32(stack[1])])
		stack[0] = 0
	}},
}

// A VM is QuickJS in a guest that has been started.
type VM struct{ Guest Guest }

// Start starts QuickJS in a fresh guest.
func Start(g Guest) (*VM, error) {
	if _, err := g.Call("_initialize"); err != nil {
		return nil, err
	}
	if failed, err := g.Call("qjs_init"); err != nil || failed != 0 {
		return nil, fmt.Errorf("qjs_init: %d, %w", failed, err)
	}
	if _, err := g.Call("qjs_set_max_stack_size", 1010<<10); err != nil {
		return nil, err
	}
	return &VM{g}, nil
}

// Eval runs a script and answers the result as a string.
func (v *VM) Eval(code string) (string, error) {
	text, err := v.put(code)
	if err != nil {
		return "", err
	}
	file, err := v.put("script.js")
	if err != nil {
		return "", err
	}
	value, err := v.Guest.Call("qjs_eval", text, uint64(len(code)), file, 0)
	if err != nil {
		return "", err
	}
	thrown, err := v.Guest.Call("qjs_is_exception", value)
	if err != nil {
		return "", err
	}
	if thrown != 0 {
		if value, err = v.Guest.Call("qjs_get_exception"); err != nil {
			return "", err
		}
	}
	result, err := v.text(value)
	if err == nil && thrown != 0 {
		err = fmt.Errorf("the script threw %s", result)
	}
	for _, p := range []uint64{text, file} {
		if _, err := v.Guest.Call("wasm_free", p); err != nil {
			return "", err
		}
	}
	return result, err
}

// put copies a string into the guest, with a zero after it.
func (v *VM) put(s string) (uint64, error) {
	p, err := v.Guest.Call("wasm_malloc", uint64(len(s)+1))
	if err != nil || p == 0 {
		return 0, fmt.Errorf("wasm_malloc: %d, %w", p, err)
	}
	memory := v.Guest.Memory()
	memory[int(p)+copy(memory[p:], s)] = 0
	return p, nil
}

// text is a value as a string; the value is freed.
func (v *VM) text(value uint64) (string, error) {
	length, err := v.Guest.Call("wasm_malloc", 4)
	if err != nil {
		return "", err
	}
	p, err := v.Guest.Call("qjs_get_string_len", value, length)
	if err != nil {
		return "", err
	}
	memory := v.Guest.Memory()
	result := string(memory[p:][:binary.LittleEndian.Uint32(memory[length:])])
	for _, free := range []struct {
		name string
		arg  uint64
	}{{"wasm_free", p}, {"wasm_free", length}, {"qjs_free_value", value}} {
		if _, err := v.Guest.Call(free.name, free.arg); err != nil {
			return "", err
		}
	}
	return result, nil
}
