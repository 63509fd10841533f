package main

import "encoding/binary"

// A guest is an instance of a module in some engine.
type guest interface {
	// call calls an exported function that has at most one result.
	call(export string, args ...uint64) (uint64, error)
	memory() []byte
	close()
}

// A subject is a way to run WebAssembly that is measured against the others.
type subject struct {
	name string
	load func(wasm []byte, imports []hostFunc) (guest, error)
}

// A hostFunc is an import that a bench program needs. Types are as in the
// binary format; parameters are at the start of stack and results replace them.
type hostFunc struct {
	module, name    string
	params, results string // one byte a value: 'i' for i32, 'l' for i64
	run             func(memory []byte, stack []uint64)
}

// valueTypes turns 'i' and 'l' into the bytes of the binary format.
func valueTypes(short string) []byte {
	types := make([]byte, 0, len(short))
	for _, c := range short {
		switch c {
		case 'i':
			types = append(types, 0x7f)
		case 'l':
			types = append(types, 0x7e)
		}
	}
	return types
}

func answer(value uint64) func([]byte, []uint64) {
	return func(_ []byte, stack []uint64) { stack[0] = value }
}

// quickjsImports are what quickjs-wasi's module asks of its host: a clock that
// stands still, no chance, no modules, no host functions.
var quickjsImports = []hostFunc{
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
