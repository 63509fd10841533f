// The driver of a natively compiled kernel: `kernel N` prints the checksum of
// run(N) and the processor time that it took, in nanoseconds.
#include "kernel.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static i64 now(void) {
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (i64)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(int argc, char **argv) {
	i64 n = argc > 1 ? atoll(argv[1]) : 1, start = now();
	i64 sum = run(n);
	printf("%lld %lld\n", sum, now() - start);
	return 0;
}
