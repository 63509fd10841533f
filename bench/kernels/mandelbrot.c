// Iterations until escape over a square of the plane.
#include "kernel.h"

enum { SIDE = 128, LIMIT = 500 };

i64 run(i64 n) {
	u64 sum = 0;
	for (i64 round = 0; round < n; round++) {
		u32 total = 0;
		double shift = (double)(round % 16) / 64;
		for (int row = 0; row < SIDE; row++)
			for (int column = 0; column < SIDE; column++) {
				double cx = -2 + shift + column * (2.5 / SIDE), cy = -1.25 + row * (2.5 / SIDE);
				double x = 0, y = 0, x2 = 0, y2 = 0;
				u32 i = 0;
				for (; i < LIMIT && x2 + y2 <= 4; i++) {
					y = 2 * x * y + cy;
					x = x2 - y2 + cx;
					x2 = x * x, y2 = y * y;
				}
				total += i;
			}
		sum = mix(sum, total);
	}
	return (i64)sum;
}
