/* setjmp and longjmp without exception handling, for code that clang compiled
 * with -mllvm -enable-emscripten-sjlj. This file is compiled without that.
 *
 * In a function that calls setjmp, clang (22) makes of
 *
 *	r = setjmp(env);                     label n of this function
 *
 *	__wasm_setjmp(env, n, &call);        call: a local, so its address names
 *	r = 0;                               this call of the function
 *
 * and of each call f(x) in it that may end by a longjmp, also before the setjmp,
 *
 *	__THREW__ = 0;
 *	y = invoke_ii(f, x);                 import of env; one for each type: v for
 *	threw = __THREW__;                   no result, i j f d; result first
 *	__THREW__ = 0;
 *	label = -1;
 *	if (threw != 0 && __threwValue != 0) {
 *		label = __wasm_setjmp_test(threw, &call);
 *		if (label == 0) emscripten_longjmp(threw, __threwValue);
 *		setTempRet0(__threwValue);
 *	}
 *	r = getTempRet0();
 *	if (label == n) goto after that setjmp;
 *
 * longjmp(env, value) becomes emscripten_longjmp(env, value), everywhere, and so
 * does its address.
 *
 * invoke_… is done by the host: it calls f(x), and if a longjmp comes out of it,
 * ends all that was called there and returns as if nothing had happened. So it
 * is the code above that finds out whose longjmp it is, and passes it on if it
 * is another's. The host knows nothing of jmp_buf, nor of these variables.
 *
 * The host does not know either that C has a stack in memory. As everywhere,
 * jmp_buf remembers where it stood at setjmp, and there it stands again after
 * longjmp. */

#include <setjmp.h>
#include <stdint.h>

uintptr_t __THREW__;
int __threwValue;

/* What a setjmp that is jumped to is about to give: clang keeps it here. */
static int result;

void setTempRet0(int value) { result = value; }
int getTempRet0(void) { return result; }

__asm__(".globaltype __stack_pointer, i32");

void __wasm_setjmp(struct __jmp_buf_tag *env, uint32_t label, void *call) {
	void *stack;
	__asm__ volatile("global.get __stack_pointer\n\tlocal.set %0" : "=r"(stack));
	env->__call = call;
	env->__label = label;
	env->__stack = stack;
}

/* The label of the setjmp of env, if it was in this call of its function: then
 * the jump ends here. 0 if not. It has no frame of its own to take off. */
uint32_t __wasm_setjmp_test(struct __jmp_buf_tag *env, void *call) {
	if (env->__call != call) return 0;
	void *stack = env->__stack;
	__asm__ volatile("local.get %0\n\tglobal.set __stack_pointer" : : "r"(stack));
	return env->__label;
}

__attribute__((import_module("env"), import_name("emscripten_longjmp"), noreturn))
void __carrel_longjmp(struct __jmp_buf_tag *env, int value);

__attribute__((noreturn))
void emscripten_longjmp(struct __jmp_buf_tag *env, int value) {
	if (value == 0) value = 1; /* so says C */
	__THREW__ = (uintptr_t)env;
	__threwValue = value;
	__carrel_longjmp(env, value);
}
