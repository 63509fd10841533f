/* sigsetjmp and siglongjmp: setjmp and longjmp, and the mask of signals. */

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

_Noreturn void emscripten_longjmp(struct __jmp_buf_tag *, int);

void __carrel_keep_mask(struct __jmp_buf_tag *env, int mask) {
	env->__masked = mask;
	if (mask) sigprocmask(SIG_SETMASK, NULL, &env->__mask);
}

_Noreturn void siglongjmp(struct __jmp_buf_tag *env, int value) {
	if (env->__masked) sigprocmask(SIG_SETMASK, &env->__mask, NULL);
	emscripten_longjmp(env, value);
}
