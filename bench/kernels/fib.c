// Fibonacci numbers the slow way: nothing but calls.
#include "kernel.h"

__attribute__((noinline)) static u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

i64 run(i64 n) {
	u64 sum = 0;
	for (i64 round = 0; round < n; round++)
		sum = mix(sum, fib(21 + (u32)(round % 3)));
	return (i64)sum;
}
