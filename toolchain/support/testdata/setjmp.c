/* What setjmp and longjmp must do. It prints a line for each check, and ends with
 * 0 if all of them held. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed;

static void check(const char *name, int ok) {
	printf("%s %s\n", ok ? "ok" : "FAILED", name);
	failed |= !ok;
}

static jmp_buf top, inner, outer;

static __attribute__((noinline)) void jump(jmp_buf env, int value) { longjmp(env, value); }

static void values(void) {
	static const int given[] = {1, 2, -1, 0x7fffffff, 0, (int)0x80000000};
	for (size_t n = 0; n < sizeof given / sizeof *given; n++) {
		volatile int value = given[n];
		int got = setjmp(top);
		if (got == 0) jump(top, value);
		check("value", got == (value ? value : 1));
	}
	if (setjmp(top) == 0) longjmp(top, 1);
	else check("in the function itself", 1);
}

static void locals(void) {
	volatile int changed = 1;
	volatile double real = 0.5;
	volatile int64_t wide = 1;
	int kept = 7;
	if (setjmp(top) == 0) {
		changed = 2;
		real = 1e300;
		wide = INT64_MIN;
		jump(top, 1);
	}
	check("locals", changed == 2 && real == 1e300 && wide == INT64_MIN && kept == 7);
}

static __attribute__((noinline)) int deep(int n) {
	volatile char frame[100];
	frame[n % 100] = (char)n;
	if (n == 0) {
		jump(top, 42);
		return 0;
	}
	return deep(n - 1) + frame[n % 100];
}

static void frames(void) {
	int got = setjmp(top);
	if (got == 0) got = deep(300);
	check("through 300 frames", got == 42);
}

static __attribute__((noinline)) int nested(int to) {
	volatile int got = setjmp(inner);
	if (got == 0) {
		if (to == 0) jump(inner, 5);
		jump(outer, 6);
	}
	return 100 + got;
}

static void nesting(void) {
	int got = setjmp(outer);
	if (got == 0) {
		check("to the inner one", nested(0) == 105);
		nested(1);
		check("to the outer one", 0);
	}
	check("to the outer one", got == 6);
}

static jmp_buf levels[50];

static __attribute__((noinline)) int level(int n, int to) {
	if (n == 50) jump(levels[to], to + 1);
	int got = setjmp(levels[n]);
	if (got) return got * 1000 + n;
	return level(n + 1, to);
}

static void many_levels(void) {
	int ok = 1;
	for (int to = 0; to < 50; to++) ok &= level(0, to) == (to + 1) * 1000 + to;
	check("to each of fifty levels", ok);
}

static __attribute__((noinline)) int twice(void) {
	jmp_buf first, second;
	volatile int path = 0;
	if (setjmp(first)) path = path * 10 + 1;
	if (path == 1) { /* after the first jump */
		if (setjmp(second) == 0) jump(second, 1);
		path = path * 10 + 2;
	}
	if (path == 0) jump(first, 1);
	if (path == 12) jump(first, 1);
	return path;
}

static void loop(void) {
	volatile int sum = 0;
	for (volatile int n = 1; n <= 100000; n++) {
		int got = setjmp(top);
		if (got == 0) jump(top, n);
		sum += got & 1;
	}
	check("a hundred thousand times", sum == 50000);
}

static __attribute__((noinline)) void use(char *p, size_t n) {
	memset(p, 1, n);
	jump(top, 1);
}

static __attribute__((noinline)) int array(int n) {
	if (setjmp(top) == 0) {
		char list[1000 + n % 7];
		use(list, sizeof list);
	}
	return 1;
}

/* What a jump leaves on the stack is taken away, by the jump or, an array of
 * variable length, when its function returns. */
static void arrays(void) {
	int rounds = 0;
	for (int n = 0; n < 10000; n++) rounds += array(n);
	check("arrays of variable length", rounds == 10000);
}

static void (*handler)(int);

static void on_signal(int number) { longjmp(top, number); }

static __attribute__((noinline)) void deliver(int number) { handler(number); }

static void callbacks(void) {
	handler = on_signal;
	int got = setjmp(top);
	if (got == 0) deliver(11);
	check("from a handler", got == 11);
	void (*by_pointer)(jmp_buf, int) = longjmp;
	got = setjmp(top);
	if (got == 0) by_pointer(top, 12);
	check("longjmp by pointer", got == 12);
}

static int compare(const void *a, const void *b) {
	int x = *(const int *)a, y = *(const int *)b;
	if (x == 13 || y == 13) longjmp(top, 13);
	return x - y;
}

static void library(void) {
	int list[100];
	for (int n = 0; n < 100; n++) list[n] = n * 37 % 100;
	int got = setjmp(top);
	if (got == 0) qsort(list, 100, sizeof *list, compare);
	check("out of qsort", got == 13);
}

struct pair {
	double a;
	int64_t b;
	char text[20];
};

static __attribute__((noinline)) double mixed(int i, double d, int64_t l, float f, uint8_t c, struct pair p, const char *s) {
	if (i < 0) jump(top, -i);
	return i + d + (double)l + f + c + p.a + (double)p.b + (double)strlen(p.text) + (double)strlen(s);
}

static __attribute__((noinline)) struct pair pairs(int64_t n, float f) {
	struct pair p = {f * 2, n * 2, "pair"};
	if (n < 0) jump(top, 3);
	return p;
}

static __attribute__((noinline)) int64_t sum(int n, ...) {
	va_list args;
	int64_t all = 0;
	va_start(args, n);
	while (n-- > 0) all += va_arg(args, int64_t);
	va_end(args);
	if (all < 0) jump(top, 4);
	return all;
}

static __attribute__((noinline)) float half(float f) { return f / 2; }

static void types(void) {
	struct pair p = {0.25, INT64_C(1) << 40, "four"};
	volatile int stage = 0;
	int got = setjmp(top);
	if (stage == 0) {
		check("arguments and results", mixed(1, 0.5, INT64_C(1) << 41, 0.125f, 200, p, "abc") ==
			1 + 0.5 + 2199023255552.0 + 0.125 + 200 + 0.25 + 1099511627776.0 + 4 + 3);
		struct pair q = pairs(INT64_C(1) << 50, 1.5f);
		check("structures", q.a == 3 && q.b == INT64_C(1) << 51 && !strcmp(q.text, "pair"));
		check("any number of arguments", sum(3, INT64_C(1) << 60, INT64_C(2), INT64_C(3)) == (INT64_C(1) << 60) + 5);
		check("float", half(3) == 1.5f);
		stage = 1;
		mixed(-9, 0.5, 1, 1, 1, p, "");
	} else if (stage == 1) {
		check("jump with arguments", got == 9);
		stage = 2;
		pairs(-1, 0);
	} else if (stage == 2) {
		check("jump with a structure", got == 3);
		stage = 3;
		sum(1, INT64_C(-1));
	} else {
		check("jump with any number of arguments", got == 4);
	}
}

static void other_names(void) {
	sigjmp_buf env;
	volatile int count = 0;
	int got = sigsetjmp(env, 1);
	if (got == 0) {
		count++;
		siglongjmp(env, 8);
	}
	check("sigsetjmp", got == 8 && count == 1);
	jmp_buf again;
	got = _setjmp(again);
	if (got == 0) _longjmp(again, 9);
	check("_setjmp", got == 9);
}

static jmp_buf forever;

static __attribute__((noinline)) void returned(void) {
	if (setjmp(forever)) puts("FAILED: jumped into a function that has returned");
}

static __attribute__((noinline)) void padding(int n) {
	volatile char area[4000];
	area[n] = 1;
	if (setjmp(top) == 0) jump(forever, 1);
}

int main(int argc, char **argv) {
	if (argc > 1 && !strcmp(argv[1], "nowhere")) {
		returned();
		padding(argc);
	}
	if (argc > 1 && !strcmp(argv[1], "exit")) {
		if (setjmp(top) == 0) exit(7);
	}
	if (argc > 1 && !strcmp(argv[1], "abort")) {
		if (setjmp(top) == 0) abort();
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	values();
	locals();
	frames();
	nesting();
	many_levels();
	check("twice in a function", twice() == 121);
	loop();
	arrays();
	callbacks();
	library();
	types();
	other_names();
	return failed;
}
