/* setjmp and longjmp for programs that run in Carrel: see setjmp.c. This header
 * stands before the one of the system, whose setjmp wants exception handling. */
#ifndef _SETJMP_H
#define _SETJMP_H

#ifdef __cplusplus
extern "C" {
#endif

struct __jmp_buf_tag {
	void *__call;    /* the call of the function that called setjmp */
	unsigned __label; /* which setjmp of it */
	void *__stack;   /* where its stack stood */
	int __masked;    /* sigsetjmp kept the mask: */
	unsigned long long __mask;
};

typedef struct __jmp_buf_tag jmp_buf[1];
typedef struct __jmp_buf_tag sigjmp_buf[1];

/* The compiler knows both by name: neither is a function. */
int setjmp(jmp_buf) __attribute__((__returns_twice__));
void longjmp(jmp_buf, int) __attribute__((__noreturn__));
#define setjmp setjmp

#define _setjmp setjmp
#define _longjmp longjmp

/* With the mask of signals, if it is asked for. */
void __carrel_keep_mask(sigjmp_buf, int);
void siglongjmp(sigjmp_buf, int) __attribute__((__noreturn__));
#define sigsetjmp(env, mask) (__carrel_keep_mask(env, mask), setjmp(env))

#ifdef __cplusplus
}
#endif

#endif
