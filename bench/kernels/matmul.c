// Product of two square matrices of doubles, as in a textbook.
#include "kernel.h"

enum { SIDE = 256 };

static double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];

i64 run(i64 n) {
	u64 sum = 0, seed = 2;
	for (int i = 0; i < SIDE; i++)
		for (int j = 0; j < SIDE; j++) {
			a[i][j] = (double)(next_random(&seed) >> 40) / 65536 - 128;
			b[i][j] = (double)(next_random(&seed) >> 40) / 65536 - 128;
		}
	for (i64 round = 0; round < n; round++) {
		for (int i = 0; i < SIDE; i++)
			for (int j = 0; j < SIDE; j++) {
				double dot = 0;
				for (int k = 0; k < SIDE; k++)
					dot += a[i][k] * b[k][j];
				c[i][j] = dot;
			}
		a[round % SIDE][0] = c[round % SIDE][1] / 65536;
		sum = mix(sum, bits(c[round * 7 % SIDE][round * 3 % SIDE]));
	}
	return (i64)sum;
}
