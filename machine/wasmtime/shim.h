// What Go calls: each function does as much as it can in one crossing.
#ifndef CARREL_WASMTIME_SHIM_H
#define CARREL_WASMTIME_SHIM_H

#include "api.h"

// How a call into the library ended.
enum {
  CARREL_OK,
  CARREL_TRAP,     // code says which, text has the words
  CARREL_ERROR,    // text has the words
  CARREL_NO_STACK, // this thread's stack is too small; nothing was done
};

typedef struct {
  int status;
  int code;             // of a trap; -1 if the host made it
  wasm_byte_vec_t text; // to be deleted if size is not 0
  wasm_trap_t *trap;    // of a call that trapped, to be deleted
} carrel_outcome;

// A call of the guest that had not returned: its function, and the offset of the
// instruction in the module.
typedef struct {
  uint32_t function, offset;
} carrel_frame;

// The kinds of the slots of a function's parameters and results.
typedef struct {
  uint32_t nparams, nresults;
  const uint8_t *kinds; // parameters, then results; VAL_…, TYPE_…
} carrel_type;

wasm_engine_t *carrel_engine_new(size_t wasm_stack, bool parallel);
size_t carrel_thread_stack(void);
size_t carrel_stack_room(void);
void carrel_stack_release(void);

void carrel_link(wasmtime_linker_t *linker, const char *module, size_t module_len,
                 const char *name, size_t name_len, const carrel_type *type,
                 uintptr_t index, carrel_outcome *out);
void carrel_link_done(wasmtime_linker_t *linker, wasmtime_module_t *module,
                      wasmtime_instance_pre_t **pre, carrel_outcome *out);
void carrel_compile(wasm_engine_t *engine, const uint8_t *wasm, size_t len,
                    wasmtime_module_t **module, carrel_outcome *out);
void carrel_deserialize(wasm_engine_t *engine, const char *path,
                        wasmtime_module_t **module, carrel_outcome *out);
void carrel_serialize(wasmtime_module_t *module, wasm_byte_vec_t *bytes, carrel_outcome *out);

wasmtime_store_t *carrel_instantiate(wasm_engine_t *engine, wasmtime_instance_pre_t *pre,
                                     uintptr_t cell, uint8_t *memory, size_t size,
                                     wasmtime_instance_t *instance, carrel_outcome *out);
bool carrel_export(wasmtime_store_t *store, wasmtime_instance_t *instance,
                   const char *name, size_t name_len, wasmtime_extern_t *item);
void carrel_call(wasmtime_store_t *store, wasmtime_func_t *func, const carrel_type *type,
                 uint64_t *stack, size_t room, carrel_outcome *out);
carrel_frame *carrel_frames(const wasm_trap_t *trap, size_t *n); // to be freed
uint64_t carrel_global_get(wasmtime_store_t *store, wasmtime_global_t *global);
void carrel_global_set(wasmtime_store_t *store, wasmtime_global_t *global, uint64_t bits);

#endif
