package js

import (
	"fmt"
	"slices"
	"strings"

	"carrel/machine"
	"carrel/machine/meter"
	"carrel/program/seal"
	"carrel/turn"
)

const (
	// Name is the name of this personality in receipts and images.
	Name = "js"
	// Version is the version of the host layer: every rule and limit of this
	// package, the functions of the host, what the host region holds. It changes
	// whenever the same program and input could give a different result. That the
	// shim changed is no new version: an image has its own.
	Version = 1
)

// A function of an engine: types are i for i32, l for i64 and d for f64.
type function struct {
	name            string
	params, results string
}

// exports are the functions of an engine that are used, all of them. A value of
// JavaScript is a box: the address of 8 bytes that the engine allocated.
var exports = []function{
	{"_initialize", "", ""},
	{"qjs_init", "", "i"},                          // → 0, or it failed
	{"qjs_eval", "iiii", "i"},                      // code, its length, file name, flags → box; code and name end in a zero byte
	{"qjs_call", "iiii", "i"},                      // function, this, argc, address of argc boxes → box
	{"qjs_execute_pending_job", "", "i"},           // → 0 if there was none, 1, or -1 if it threw
	{"qjs_is_exception", "i", "i"},                 // box → is it the mark of an exception
	{"qjs_get_exception", "", "i"},                 // → box of what was thrown
	{"qjs_new_host_function", "iii", "i"},          // name, its length, number of parameters → box
	{"qjs_new_object", "", "i"},                    // → box
	{"qjs_set_prop_string", "iii", "i"},            // object, name, value → -1 if it threw
	{"qjs_get_prop_uint32", "ii", "i"},             // object, index → box
	{"qjs_get_undefined", "", "i"},                 // → box
	{"qjs_new_number", "d", "i"},                   // → box
	{"qjs_get_float64", "i", "d"},                  // box of a number → number
	{"qjs_new_string", "ii", "i"},                  // UTF-8, its length → box
	{"qjs_get_string_len", "ii", "i"},              // box, where the length goes → WTF-8, to be freed
	{"qjs_free_cstring", "i", ""},                  // of qjs_get_string_len
	{"qjs_new_array_buffer", "ii", "i"},            // bytes, their length → box of a copy
	{"qjs_get_array_buffer", "ii", "i"},            // box, where the length goes → bytes
	{"qjs_get_value_ptr", "i", "i"},                // box → what is the same for the same object
	{"qjs_free_value", "i", ""},                    // box
	{"qjs_set_promise_rejection_handler", "i", ""}, // 1: call host_promise_rejection
	{"qjs_run_gc", "", ""},                         //
	{"wasm_malloc", "i", "i"},                      // size → address, or 0
	{"wasm_free", "i", ""},                         // of wasm_malloc
}

// imported are the functions that an engine may ask for. It need not.
var imported = []struct {
	module string
	function
	do func(*Worker, []uint64) error
}{
	{"env", function{"host_call", "iiiii", "i"}, (*Worker).hostCall},                   // name, its length, this, argc, address of argc boxes → box, or 0 after qjs_throw
	{"env", function{"host_promise_rejection", "iii", ""}, (*Worker).promiseRejection}, // promise, reason, is it handled now; both boxes are the host's to free
	{"env", function{"host_fault", "i", ""}, (*Worker).hostFault},                      // 1: out of memory, 2: too deep. It does not return
	{"env", function{"host_get_timezone_offset", "ii", "i"}, answer(0)},
	{"env", function{"host_interrupt", "", "i"}, answer(0)},
	{"env", function{"host_module_normalize", "ii", "i"}, answer(0)},
	{"env", function{"host_module_load", "ii", "i"}, answer(0)},
	{"wasi_snapshot_preview1", function{"clock_time_get", "ili", "i"}, (*Worker).clockTimeGet},
	{"wasi_snapshot_preview1", function{"random_get", "ii", "i"}, (*Worker).randomGet},
	{"wasi_snapshot_preview1", function{"fd_close", "i", "i"}, answer(errnoBadf)},
	{"wasi_snapshot_preview1", function{"fd_fdstat_get", "ii", "i"}, answer(errnoBadf)},
	{"wasi_snapshot_preview1", function{"fd_seek", "ilii", "i"}, answer(errnoBadf)},
	{"wasi_snapshot_preview1", function{"fd_write", "iiii", "i"}, answer(errnoBadf)},
}

// Numbers of WASI.
const (
	errnoOK    = 0
	errnoBadf  = 8
	errnoFault = 21
	errnoInval = 28
	errnoNoMem = 48
)

func answer(number uint64) func(*Worker, []uint64) error {
	return func(_ *Worker, stack []uint64) error { stack[0] = number; return nil }
}

func types(letters string) (all []meter.ValType) {
	for _, letter := range letters {
		all = append(all, map[rune]meter.ValType{'i': meter.I32, 'l': meter.I64, 'd': meter.F64}[letter])
	}
	return all
}

func (f function) functype() meter.FuncType {
	return meter.FuncType{Params: types(f.params), Results: types(f.results)}
}

var imports = func() machine.Imports {
	all := machine.Imports{}
	for _, f := range imported {
		all[[2]string{f.module, f.name}] = machine.HostImport{
			Type: f.functype(),
			Call: func(i *machine.Instance, stack []uint64) error { return i.Guest.(*Worker).serve(f.do, stack) },
		}
	}
	return all
}()

// A Build is an engine as far as its bytes do not tell.
type Build struct {
	Name, Version string
	Digest        seal.Digest // of the wasm

	// errno is the address of the C library's errno, where a failed malloc leaves
	// its mark, of an engine that does not call host_fault. With 0 and without
	// host_fault, code can catch that memory is used up.
	errno uint32
	// heap is the address of how many allocations the engine has, 4 bytes; 0 if it
	// is not known.
	heap uint32
}

func (b Build) String() string { return fmt.Sprintf("%s %s (%s)", b.Name, b.Version, b.Digest.Short()) }

func digest(hex string) seal.Digest {
	d, err := seal.ParseHex(hex)
	if err != nil {
		panic(err)
	}
	return d
}

// builds are the engines that are known.
var builds = []Build{
	{Name: "quickjs-wasi", Version: "3.6.2", Digest: digest("d4c9375f2b1ca4dc95f72c8aa2982a7a9951ac8011490d79c6582df732b4bbd9"), errno: 1167412, heap: 1167460},
	{Name: "quickjs", Version: "2025-04-26+carrel.1", Digest: digest("02550afc267191935820703dd91dc95e868264857b9d691b83b7213a4a6d84c7"), heap: 1134208}, // scripts/engine
}

// Embedded is the wasm of the engine of our own, nil if this binary was built without.
func Embedded() []byte { return embedded }

// Find finds the engine that wasm is among those that are known.
func Find(wasm []byte) (Build, error) {
	sum := seal.Sum(wasm)
	if n := slices.IndexFunc(builds, func(b Build) bool { return b.Digest == sum }); n >= 0 {
		return builds[n], nil
	}
	var known []string
	for _, b := range builds {
		known = append(known, b.String())
	}
	return Build{}, fmt.Errorf("engine %s is not known; known are: %s. To use it all the same, say so (js.Unknown)", sum, strings.Join(known, ", "))
}

// Unknown is an engine that is in no table: for one that was just built, and for
// tests. Nothing is known of it but its bytes.
func Unknown(wasm []byte) Build {
	return Build{Name: "unknown", Version: "0", Digest: seal.Sum(wasm)}
}

// check reports what a program lacks of an engine's functions.
func check(program *machine.Program) error {
	var missing []string
	for _, f := range exports {
		have, ok := program.Module.Export(f.name)
		switch {
		case !ok || have.Kind != meter.KindFunc:
			missing = append(missing, f.name)
		case !have.Type.Equal(f.functype()):
			missing = append(missing, fmt.Sprintf("%s as %v (it is %v)", f.name, f.functype(), have.Type))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the program is no engine of JavaScript: it does not export %s", strings.Join(missing, ", "))
	}
	for _, want := range program.Module.Imports {
		have, ok := imports.Find(want.Module, want.Name)
		if !ok || !have.Type.Equal(want.Type) {
			return fmt.Errorf("the engine imports %s.%s as %v, which a host of JavaScript does not offer", want.Module, want.Name, want.Type)
		}
	}
	return nil
}

// faults are the classes that host_fault ends a turn with.
var faults = map[uint64]*machine.Fault{
	1: {Class: turn.Memory, Text: "JavaScript has used up the memory that it may have"},
	2: {Class: turn.Depth, Text: "JavaScript has called too deep"},
}
