/* abort raises SIGABRT, if there is anything that could notice; wasi-libc's does
 * not. It is a file of its own: a program that aborts needs not the rest of
 * signals. */

#include <stdlib.h>

void (*__carrel_abort)(void);

_Noreturn void abort(void) {
	if (__carrel_abort != NULL) __carrel_abort();
	__builtin_trap();
}
