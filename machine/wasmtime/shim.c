//go:build wasmtime && cgo

#define _GNU_SOURCE
#include "shim.h"
#include "_cgo_export.h"

#include <alloca.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

static void fail(carrel_outcome *out, wasmtime_error_t *error) {
  out->status = CARREL_ERROR;
  wasmtime_error_message(error, &out->text);
  wasmtime_error_delete(error);
}

static void trapped(carrel_outcome *out, wasm_trap_t *trap) {
  uint8_t code;
  out->status = CARREL_TRAP;
  out->code = wasmtime_trap_code(trap, &code) ? code : -1;
  out->trap = trap;
}

// What package page reserves for a guarded memory.
#define RESERVATION ((uint64_t)4 << 30)
#define GUARD ((uint64_t)32 << 20)

// The largest linear memory of a guest: its module always declares at most that.
#define GUEST_MAX ((uint64_t)2 << 30)

// A memory is a page.Memory, as wasmtime sees it; or one of wasmtime's own.
typedef struct {
  uintptr_t cell; // 0 for wasmtime's own
  uint8_t *base;
  size_t size;
} memory;

// The memory for the instance that this thread is making.
static _Thread_local memory given;

static uint8_t *memory_get(void *env, size_t *size, size_t *capacity) {
  memory *m = env;
  *size = m->size;
  *capacity = RESERVATION;
  return m->base;
}

static wasmtime_error_t *memory_grow(void *env, size_t size) {
  memory *m = env;
  if (size <= m->size) return NULL;
  bool ok = m->cell ? carrelGrow(m->cell, size)
                    : !mprotect(m->base, size, PROT_READ | PROT_WRITE);
  if (!ok) return wasmtime_error_new("no memory");
  m->size = size;
  return NULL;
}

static void memory_delete(void *env) {
  memory *m = env;
  if (!m->cell) munmap(m->base, RESERVATION + GUARD);
  free(m);
}

// Wasmtime asks for a memory for the guest, and for one of 4 GiB to keep what
// external references stand for.
static wasmtime_error_t *memory_new(void *env, const wasm_memorytype_t *type, size_t minimum,
                                    size_t maximum, size_t reserved, size_t guard,
                                    wasmtime_linear_memory_t *out) {
  memory m = {0};
  if (reserved > RESERVATION || guard > GUARD) return wasmtime_error_new("a memory beyond all limits");
  if (maximum <= GUEST_MAX) {
    m = given;
    given.base = NULL;
    if (!m.base) return wasmtime_error_new("a memory that nobody gave");
  } else {
    m.base = mmap(NULL, RESERVATION + GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
    if (m.base == MAP_FAILED) return wasmtime_error_new("no memory");
  }
  memory *env_out = malloc(sizeof m);
  if (!env_out) abort();
  *env_out = m;
  wasmtime_error_t *error = memory_grow(env_out, minimum);
  if (error) {
    memory_delete(env_out);
    return error;
  }
  *out = (wasmtime_linear_memory_t){env_out, memory_get, memory_grow, memory_delete};
  return NULL;
}

wasm_engine_t *carrel_engine_new(size_t wasm_stack, bool parallel) {
  wasm_config_t *c = wasm_config_new();
  wasmtime_config_max_wasm_stack_set(c, wasm_stack);
  wasmtime_config_parallel_compilation_set(c, parallel);
  // WebAssembly 2.0 and extended constant expressions; all else is off,
  // whatever the default of this version is.
  wasmtime_config_wasm_threads_set(c, false);
  wasmtime_config_wasm_tail_call_set(c, false);
  wasmtime_config_wasm_function_references_set(c, false);
  wasmtime_config_wasm_gc_set(c, false);
  wasmtime_config_wasm_relaxed_simd_set(c, false);
  wasmtime_config_wasm_multi_memory_set(c, false);
  wasmtime_config_wasm_memory64_set(c, false);
  wasmtime_config_wasm_wide_arithmetic_set(c, false);
  wasmtime_config_wasm_exceptions_set(c, false);
  wasmtime_config_wasm_custom_page_sizes_set(c, false);
  wasmtime_config_wasm_stack_switching_set(c, false);
  wasmtime_config_wasm_component_model_set(c, false);
  // Growing never moves memory and never fails below 4 GiB.
  wasmtime_config_memory_may_move_set(c, false);
  wasmtime_config_memory_reservation_set(c, RESERVATION);
  wasmtime_config_memory_guard_size_set(c, GUARD);
  // Memory is ours, and what is in it as well.
  wasmtime_config_memory_init_cow_set(c, false);
  wasmtime_memory_creator_t creator = {.new_memory = memory_new};
  wasmtime_config_host_memory_creator_set(c, &creator);
  return wasm_engine_new_with_config(c);
}

// Import is called by the guest, through wasmtime: its values are slots of 16
// bytes, ours are of 8, so they are packed for Go and unpacked again. A store
// to the packed slot n never reaches the raw slot n + 1.
static wasm_trap_t *import(void *env, wasmtime_caller_t *caller,
                           wasmtime_val_raw_t *values, size_t n) {
  uintptr_t cell = (uintptr_t)wasmtime_context_get_data(wasmtime_caller_context(caller));
  uint64_t *packed = (uint64_t *)values;
  for (size_t i = 1; i < n; i++) packed[i] = values[i].bits;
  wasm_trap_t *trap = carrelImport(cell, (uintptr_t)env, packed, n);
  if (trap) return trap;
  for (size_t i = n; i-- > 1;) values[i].bits = packed[i];
  return NULL;
}

static void valtypes(wasm_valtype_vec_t *vec, const uint8_t *kinds, size_t n) {
  wasm_valtype_vec_new_uninitialized(vec, n);
  for (size_t i = 0; i < n; i++) vec->data[i] = wasm_valtype_new(kinds[i]);
}

void carrel_link(wasmtime_linker_t *linker, const char *module, size_t module_len,
                 const char *name, size_t name_len, const carrel_type *type,
                 uintptr_t index, carrel_outcome *out) {
  wasm_valtype_vec_t params, results;
  valtypes(&params, type->kinds, type->nparams);
  valtypes(&results, type->kinds + type->nparams, type->nresults);
  wasm_functype_t *t = wasm_functype_new(&params, &results);
  wasmtime_error_t *error = wasmtime_linker_define_func_unchecked(
      linker, module, module_len, name, name_len, t, import, (void *)index, NULL);
  wasm_functype_delete(t);
  if (error) fail(out, error);
}

void carrel_link_done(wasmtime_linker_t *linker, wasmtime_module_t *module,
                      wasmtime_instance_pre_t **pre, carrel_outcome *out) {
  wasmtime_error_t *error = wasmtime_linker_instantiate_pre(linker, module, pre);
  if (error) fail(out, error);
}

void carrel_compile(wasm_engine_t *engine, const uint8_t *wasm, size_t len,
                    wasmtime_module_t **module, carrel_outcome *out) {
  wasmtime_error_t *error = wasmtime_module_new(engine, wasm, len, module);
  if (error) fail(out, error);
}

void carrel_deserialize(wasm_engine_t *engine, const char *path,
                        wasmtime_module_t **module, carrel_outcome *out) {
  wasmtime_error_t *error = wasmtime_module_deserialize_file(engine, path, module);
  if (error) fail(out, error);
}

void carrel_serialize(wasmtime_module_t *module, wasm_byte_vec_t *bytes, carrel_outcome *out) {
  wasmtime_error_t *error = wasmtime_module_serialize(module, bytes);
  if (error) fail(out, error);
}

wasmtime_store_t *carrel_instantiate(wasm_engine_t *engine, wasmtime_instance_pre_t *pre,
                                     uintptr_t cell, uint8_t *base, size_t size,
                                     wasmtime_instance_t *instance, carrel_outcome *out) {
  wasmtime_store_t *store = wasmtime_store_new(engine, (void *)cell, NULL);
  wasm_trap_t *trap = NULL;
  given = (memory){cell, base, size};
  wasmtime_error_t *error =
      wasmtime_instance_pre_instantiate(pre, wasmtime_store_context(store), instance, &trap);
  if (!error && !trap) return store;
  if (error) fail(out, error);
  else {
    trapped(out, trap);
    wasm_trap_message(trap, &out->text);
    wasm_trap_delete(trap);
  }
  wasmtime_store_delete(store);
  return NULL;
}

bool carrel_export(wasmtime_store_t *store, wasmtime_instance_t *instance,
                   const char *name, size_t name_len, wasmtime_extern_t *item) {
  return wasmtime_instance_export_get(wasmtime_store_context(store), instance, name, name_len, item);
}

void carrel_call(wasmtime_store_t *store, wasmtime_func_t *func, const carrel_type *type,
                 uint64_t *stack, size_t room, carrel_outcome *out) {
  if (carrel_stack_room() < room) {
    out->status = CARREL_NO_STACK;
    return;
  }
  size_t np = type->nparams, nr = type->nresults, n = np > nr ? np : nr;
  wasmtime_val_raw_t *raw = alloca((n + 1) * sizeof *raw);
  const uint8_t *kinds = type->kinds;
  const uint64_t *from = stack;
  for (size_t i = 0; i < np; i++) {
    raw[i].v128[0] = *from++;
    raw[i].v128[1] = kinds[i] == VAL_V128 ? *from++ : 0;
  }
  wasm_trap_t *trap = NULL;
  wasmtime_error_t *error =
      wasmtime_func_call_unchecked(wasmtime_store_context(store), func, raw, n, &trap);
  if (error) fail(out, error);
  else if (trap) trapped(out, trap);
  if ((error || trap) && room) carrel_stack_release();
  if (!error && !trap) {
    for (size_t i = 0; i < nr; i++) {
      uint8_t kind = kinds[np + i];
      // Of an externref only 32 bits are written.
      *stack++ = kind == TYPE_EXTERNREF ? (uint32_t)raw[i].bits : raw[i].bits;
      if (kind == VAL_V128) *stack++ = raw[i].v128[1];
    }
  }
}

carrel_frame *carrel_frames(const wasm_trap_t *trap, size_t *n) {
  wasm_frame_vec_t trace;
  wasm_trap_trace(trap, &trace);
  carrel_frame *frames = calloc(trace.size + 1, sizeof *frames);
  if (!frames) abort();
  for (size_t i = 0; i < trace.size; i++) {
    frames[i].function = wasm_frame_func_index(trace.data[i]);
    frames[i].offset = wasm_frame_module_offset(trace.data[i]);
  }
  *n = trace.size;
  wasm_frame_vec_delete(&trace);
  return frames;
}

uint64_t carrel_global_get(wasmtime_store_t *store, wasmtime_global_t *global) {
  wasmtime_val_t value;
  wasmtime_global_get(wasmtime_store_context(store), global, &value);
  return value.kind == VAL_I32 || value.kind == VAL_F32 ? (uint32_t)value.of.bits : value.of.bits;
}

void carrel_global_set(wasmtime_store_t *store, wasmtime_global_t *global, uint64_t bits) {
  wasmtime_context_t *context = wasmtime_store_context(store);
  wasmtime_val_t value;
  wasmtime_global_get(context, global, &value); // for its kind
  value.of.bits = bits;
  wasmtime_error_t *error = wasmtime_global_set(context, global, &value);
  if (error) wasmtime_error_delete(error);
}
