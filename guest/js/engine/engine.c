/* The engine of JavaScript: QuickJS, whose allocations scripts/engine has call what is
 * here, and is unmodified otherwise, and what the host calls of it.
 * contract.go in guest/js says what each export and import means.
 *
 * quickjs.c is included, so that the few lines that need what is private there
 * have it. The rest of QuickJS is compiled by itself.
 *
 * Between calls all state is in linear memory. The stack of C is [0, 1 MiB),
 * below all else: what calls too deep traps there. */

#include <stdlib.h>
#include <unistd.h>

#include "cutils.h"
#include "quickjs.h"

#define EXPORT(name) __attribute__((export_name(#name))) name
#define IMPORT(name) __attribute__((import_module("env"), import_name(#name)))

/* A value of JavaScript that the host holds; it is 8 bytes long. */
typedef JSValue *Box;

IMPORT(host_call) Box host_call(const char *name, size_t length, const JSValue *this, int argc, const JSValue **argv);
IMPORT(host_promise_rejection) void host_promise_rejection(Box promise, Box reason, int handled);
IMPORT(host_fault) _Noreturn void host_fault(int class);

enum { FAULT_MEMORY = 1 };

/* ---- memory ---- */

/* Nothing here ever answers that there is no memory: JavaScript must not catch that. */
static void *some(void *p) {
	if (unlikely(!p))
		host_fault(FAULT_MEMORY);
	return p;
}

/* Large blocks are the C library's. Small ones are cut from runs, one after the other
 * whatever their size, and remain blocks of that size when they are freed. Those that
 * are young, cut since the last collection that was asked for, are used first, then
 * what is left of the run, and only then the old ones, which are all over the heap: so
 * a turn writes to few pages, and that is what its image costs.
 *
 * Before each block is a word with its size, with this word, in multiples of 16. The
 * C library has flags in the three bits below; SMALL is ours. */
enum { HEADER = 4, SMALL = 8, SMALL_MAX = 256, RUN = 16 << 10 };

typedef struct Free {
	struct Free *next;
} Free;

static Free *young[SMALL_MAX / 16 + 1]; /* by size, as old */
static Free *old[SMALL_MAX / 16 + 1];
static char *young_from;    /* where blocks begin that are young */
static char *run, *run_end; /* what is left of a run */


/* What is before a block is not part of it, as the compiler knows malloc: it may take
 * what it reads there for anything, unless it does not know where p is from. */
static uint32_t *header(const void *p) {
	__asm__("" : "+r"(p));
	return (uint32_t *)p - 1;
}

static size_t whole(size_t size) { return (size + HEADER + 15) & ~15; }
static size_t held(const void *p) { return *header(p) & ~15; }

static void *allocate(size_t size) {
	if (unlikely(size > SMALL_MAX - HEADER))
		return some(malloc(size));
	size = whole(size);
	Free *p = young[size / 16];
	if (likely(p)) {
		young[size / 16] = p->next;
		return p;
	}
	if (run_end - run < size) {
		if ((p = old[size / 16])) {
			old[size / 16] = p->next;
			return p;
		}
		char *block = some(malloc(RUN));
		run = block + 16; /* as malloc aligns, with room for a header */
		run_end = block + RUN;
	}
	p = (Free *)run;
	run += size;
	*header(p) = size | SMALL;
	return p;
}

static void release(Free *p) {
	uint32_t word = *header(p);
	if (unlikely(!(word & SMALL))) {
		free(p);
		return;
	}
	Free **list = (char *)p >= young_from ? &young[word / 16] : &old[word / 16];
	p->next = *list;
	*list = p;
}

/* age makes all blocks old that there are. */
static void age(void) {
	for (int n = 0; n <= SMALL_MAX / 16; n++) {
		Free **end = &young[n];
		while (*end)
			end = &(*end)->next;
		*end = old[n];
		old[n] = young[n];
		young[n] = NULL;
	}
	young_from = run;
}

static void *resize(void *p, size_t size) {
	size_t before = held(p);
	if (!(*header(p) & SMALL) && size > SMALL_MAX - HEADER)
		return some(realloc(p, size));
	if ((*header(p) & SMALL) && whole(size) == before)
		return p;
	void *moved = allocate(size);
	before -= HEADER;
	memcpy(moved, p, before < size ? before : size);
	release(p);
	return moved;
}

static void *engine_malloc(JSMallocState *s, size_t size) {
	void *p = allocate(size);
	s->malloc_count++;
	s->malloc_size += held(p);
	return p;
}

static void engine_free(JSMallocState *s, void *p) {
	if (!p)
		return;
	s->malloc_count--;
	s->malloc_size -= held(p);
	release(p);
}

static void *engine_realloc(JSMallocState *s, void *p, size_t size) {
	if (!p)
		return size == 0 ? NULL : engine_malloc(s, size);
	if (size == 0) {
		engine_free(s, p);
		return NULL;
	}
	s->malloc_size -= held(p);
	p = resize(p, size);
	s->malloc_size += held(p);
	return p;
}

static size_t engine_usable_size(const void *p) { return held(p) - HEADER; }

static const JSMallocFunctions engine_memory = {engine_malloc, engine_free, engine_realloc, engine_usable_size};

void *EXPORT(wasm_malloc)(size_t size) { return some(malloc(size)); }
void EXPORT(wasm_free)(void *p) { free(p); }

/* What the C library says of an assertion that fails would need a console. */
_Noreturn void __assert_fail(const char *condition, const char *file, int line, const char *function) {
	__builtin_trap();
}

/* ---- the engine ---- */

/* QuickJS's name for a machine without threads, without the addresses of labels,
 * and whose stack is not its business. */
#define EMSCRIPTEN

#include "quickjs.c"

static JSContext *ctx;

static Box box(JSValue v) {
	Box b = js_malloc(ctx, sizeof *b);
	*b = v;
	return b;
}

/* A WeakRef keeps its target, once it was made or asked, until the end of the job:
 * ECMAScript's KeepDuringJob, which QuickJS has not. kept is a Set that no code can
 * reach. */
static JSValue kept;

static void keep(JSValueConst target) {
	JS_FreeValue(ctx, js_map_set(ctx, kept, 1, &target, MAGIC_SET));
}

static void end_job(void) { js_map_clear(ctx, kept, 0, NULL, MAGIC_SET); }

static JSValue weakref_constructor(JSContext *realm, JSValueConst new_target, int argc, JSValueConst *argv) {
	JSValue ref = js_weakref_constructor(realm, new_target, argc, argv);
	if (!JS_IsException(ref))
		keep(argv[0]);
	return ref;
}

static JSValue weakref_deref(JSContext *realm, JSValueConst this, int argc, JSValueConst *argv) {
	JSValue target = js_weakref_deref(realm, this, argc, argv);
	if (JS_VALUE_HAS_REF_COUNT(target))
		keep(target);
	return target;
}

static void add_weakrefs(void) {
	JSValueConst proto = ctx->class_proto[JS_CLASS_WEAK_REF];
	JSValue deref = JS_NewCFunction(ctx, weakref_deref, "deref", 0);
	JS_DefinePropertyValueStr(ctx, proto, "deref", deref, JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
	JS_NewGlobalCConstructor(ctx, "WeakRef", weakref_constructor, 1, proto);
	JSValueConst content = JS_UNDEFINED;
	kept = js_map_constructor(ctx, JS_UNDEFINED, 1, &content, MAGIC_SET);
}

/* transfer of ECMAScript 2024: the content moves to a new buffer, of another length
 * if there is one given. */
static JSValue buffer_transfer(JSContext *realm, JSValueConst this, int argc, JSValueConst *argv) {
	JSArrayBuffer *from = JS_GetOpaque2(realm, this, JS_CLASS_ARRAY_BUFFER);
	if (!from)
		return JS_EXCEPTION;
	uint64_t length = from->byte_length;
	if (argc > 0 && !JS_IsUndefined(argv[0]) && JS_ToIndex(realm, &length, argv[0]) != 0)
		return JS_EXCEPTION;
	if (from->detached)
		return JS_ThrowTypeErrorDetachedArrayBuffer(realm);
	JSValue result = js_array_buffer_constructor1(realm, JS_UNDEFINED, length);
	if (JS_IsException(result))
		return result;
	memcpy(js_get_array_buffer(realm, result)->data, from->data, min_int64(length, from->byte_length));
	JS_DetachArrayBuffer(realm, this);
	return result;
}

static JSValue buffer_detached(JSContext *realm, JSValueConst this) {
	JSArrayBuffer *buffer = JS_GetOpaque2(realm, this, JS_CLASS_ARRAY_BUFFER);
	return buffer ? JS_NewBool(realm, buffer->detached) : JS_EXCEPTION;
}

static const JSCFunctionListEntry buffer_functions[] = {
	JS_CFUNC_DEF("transfer", 0, buffer_transfer),
	JS_CFUNC_DEF("transferToFixedLength", 0, buffer_transfer),
	JS_CGETSET_DEF("detached", buffer_detached, NULL),
};

/* new_realm makes a context with globals of its own, none at first, and the
 * intrinsics of another: what a Compartment is made of. It answers an object with the
 * globalThis, the eval and the Function of it. */
static JSValue new_realm(JSContext *from, JSValueConst this, int argc, JSValueConst *argv) {
	JSRuntime *rt = from->rt;
	JSContext *c = js_mallocz_rt(rt, sizeof *c);
	c->header.ref_count = 1;
	add_gc_object(rt, &c->header, JS_GC_OBJ_TYPE_JS_CONTEXT);
	c->rt = rt;
	list_add_tail(&c->link, &rt->context_list);
	init_list_head(&c->loaded_modules);
	c->interrupt_counter = from->interrupt_counter;
	c->random_state = from->random_state;
	c->compile_regexp = from->compile_regexp;
	c->eval_internal = from->eval_internal;

	c->array_shape = js_dup_shape(from->array_shape);
	c->class_proto = js_malloc_rt(rt, rt->class_count * sizeof *c->class_proto);
	for (int n = 0; n < rt->class_count; n++)
		c->class_proto[n] = JS_DupValue(from, from->class_proto[n]);
	for (int n = 0; n < JS_NATIVE_ERROR_COUNT; n++)
		c->native_error_proto[n] = JS_DupValue(from, from->native_error_proto[n]);
	c->function_proto = JS_DupValue(from, from->function_proto);
	c->array_ctor = JS_DupValue(from, from->array_ctor);
	c->regexp_ctor = JS_DupValue(from, from->regexp_ctor);
	c->promise_ctor = JS_DupValue(from, from->promise_ctor);
	c->iterator_proto = JS_DupValue(from, from->iterator_proto);
	c->async_iterator_proto = JS_DupValue(from, from->async_iterator_proto);
	c->array_proto_values = JS_DupValue(from, from->array_proto_values);
	c->throw_type_error = JS_DupValue(from, from->throw_type_error);

	c->global_obj = JS_NewObject(c);
	c->global_var_obj = JS_NewObjectProto(c, JS_NULL);
	c->eval_obj = JS_NewCFunction(c, js_global_eval, "eval", 1);
	c->function_ctor = JS_NewCFunctionMagic(c, js_function_constructor, "Function", 1, JS_CFUNC_constructor_or_func_magic, JS_FUNC_NORMAL);
	JS_DefinePropertyValueStr(c, c->function_ctor, "prototype", JS_DupValue(c, c->function_proto), 0);

	JSValue result = JS_NewObject(from);
	JS_DefinePropertyValueStr(from, result, "globalThis", JS_DupValue(c, c->global_obj), 0);
	JS_DefinePropertyValueStr(from, result, "eval", JS_DupValue(c, c->eval_obj), 0);
	JS_DefinePropertyValueStr(from, result, "Function", JS_DupValue(c, c->function_ctor), 0);
	JS_FreeContext(c); /* its functions keep it */
	return result;
}

int EXPORT(qjs_init)(void) {
	JSRuntime *rt = JS_NewRuntime2(&engine_memory, NULL);
	ctx = JS_NewContext(rt);
	add_weakrefs();
	JS_SetPropertyFunctionList(ctx, ctx->class_proto[JS_CLASS_ARRAY_BUFFER], buffer_functions, countof(buffer_functions));
	/* The shim takes it away. */
	JS_DefinePropertyValueStr(ctx, ctx->global_obj, "newRealm", JS_NewCFunction(ctx, new_realm, "newRealm", 0), JS_PROP_CONFIGURABLE);
	/* What Math.random goes on from; it is never zero. */
	if (getentropy(&ctx->random_state, sizeof ctx->random_state) != 0)
		return -1;
	if (ctx->random_state == 0)
		ctx->random_state = 1;
	return 0;
}

void EXPORT(qjs_run_gc)(void) {
	JS_RunGC(ctx->rt);
	age();
}

/* ---- code ---- */

Box EXPORT(qjs_eval)(const char *code, size_t length, const char *file, int flags) {
	Box result = box(JS_Eval(ctx, code, length, file, flags));
	end_job();
	return result;
}

Box EXPORT(qjs_call)(Box function, Box this, int argc, Box *argv) {
	JSValue args[argc + 1];
	for (int n = 0; n < argc; n++)
		args[n] = *argv[n];
	Box result = box(JS_Call(ctx, *function, *this, argc, args));
	end_job();
	return result;
}

int EXPORT(qjs_execute_pending_job)(void) {
	JSContext *of;
	int ran = JS_ExecutePendingJob(ctx->rt, &of);
	end_job();
	return ran;
}

int EXPORT(qjs_is_exception)(Box b) { return JS_IsException(*b); }
Box EXPORT(qjs_get_exception)(void) { return box(JS_GetException(ctx)); }

static void rejected(JSContext *realm, JSValueConst promise, JSValueConst reason, int handled, void *opaque) {
	host_promise_rejection(box(JS_DupValue(realm, promise)), box(JS_DupValue(realm, reason)), handled);
}

void EXPORT(qjs_set_promise_rejection_handler)(int on) {
	JS_SetHostPromiseRejectionTracker(ctx->rt, on ? rejected : NULL, NULL);
}

/* ---- functions of the host ---- */

/* The host knows its functions by name, and the name is in the heap: so an image has
 * them all. */
typedef struct {
	size_t length;
	char text[];
} Name;

static JSValue call_host(JSContext *realm, JSValueConst this, int argc, JSValueConst *argv, int magic, JSValue *data) {
	const Name *name = (const Name *)JS_VALUE_GET_INT(data[0]);
	const JSValue *args[argc + 1];
	for (int n = 0; n < argc; n++)
		args[n] = &argv[n];
	Box b = host_call(name->text, name->length, &this, argc, args);
	JSValue result = *b;
	js_free(ctx, b);
	return result;
}

Box EXPORT(qjs_new_host_function)(const char *text, size_t length, int parameters) {
	Name *name = js_malloc(ctx, sizeof *name + length);
	name->length = length;
	memcpy(name->text, text, length);
	JSValue data = JS_NewInt32(ctx, (int32_t)name);
	return box(JS_NewCFunctionData(ctx, call_host, parameters, 0, 1, &data));
}

/* ---- values ---- */

void EXPORT(qjs_free_value)(Box b) {
	JS_FreeValue(ctx, *b);
	js_free(ctx, b);
}

Box EXPORT(qjs_get_undefined)(void) { return box(JS_UNDEFINED); }
Box EXPORT(qjs_new_object)(void) { return box(JS_NewObject(ctx)); }

int EXPORT(qjs_set_prop_string)(Box object, const char *name, Box value) {
	return JS_SetPropertyStr(ctx, *object, name, JS_DupValue(ctx, *value));
}

Box EXPORT(qjs_get_prop_uint32)(Box object, uint32_t index) {
	return box(JS_GetPropertyUint32(ctx, *object, index));
}

void *EXPORT(qjs_get_value_ptr)(Box b) {
	return JS_VALUE_HAS_REF_COUNT(*b) ? JS_VALUE_GET_PTR(*b) : NULL;
}

Box EXPORT(qjs_new_number)(double number) { return box(JS_NewFloat64(ctx, number)); }

double EXPORT(qjs_get_float64)(Box b) {
	double number;
	if (JS_ToFloat64(ctx, &number, *b) != 0)
		return NAN;
	return number;
}

Box EXPORT(qjs_new_string)(const char *text, size_t length) { return box(JS_NewStringLen(ctx, text, length)); }

const char *EXPORT(qjs_get_string_len)(Box b, size_t *length) { return JS_ToCStringLen(ctx, length, *b); }
void EXPORT(qjs_free_cstring)(const char *text) { JS_FreeCString(ctx, text); }

Box EXPORT(qjs_new_array_buffer)(const uint8_t *bytes, size_t length) {
	return box(JS_NewArrayBufferCopy(ctx, bytes, length));
}

const uint8_t *EXPORT(qjs_get_array_buffer)(Box b, size_t *length) { return JS_GetArrayBuffer(ctx, length, *b); }
