// Package js is the personality for JavaScript: a worker with a heap that lives
// from turn to turn, metered to the instruction, with no clock, no chance and no
// authority but what its Config hands it. Between turns all of it is an image.
//
// The engine is QuickJS as WebAssembly. contract.go has the whole list of what is
// wanted of one; the published build of npm quickjs-wasi does, and one of our own.
//
// Every rule is in docs/concepts/javascript.md.
//
// # Engines
//
// What an engine exports, beside its memory, and nothing else is used:
//
//	_initialize  qjs_init  qjs_eval  qjs_call  qjs_execute_pending_job
//	qjs_is_exception  qjs_get_exception  qjs_new_host_function
//	qjs_new_object  qjs_set_prop_string  qjs_get_prop_uint32  qjs_get_undefined
//	qjs_new_number  qjs_get_float64  qjs_new_string  qjs_get_string_len
//	qjs_free_cstring  qjs_new_array_buffer  qjs_get_array_buffer
//	qjs_get_value_ptr  qjs_free_value  qjs_set_promise_rejection_handler
//	qjs_run_gc  wasm_malloc  wasm_free
//
// It may import env.host_call, env.host_promise_rejection, clock_time_get and
// random_get; and env.host_fault, by which a build of our own says that memory or
// its stack is used up, so that code cannot catch that.
package js
