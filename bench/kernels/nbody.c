// Five bodies under gravity, simple Euler steps.
#include "kernel.h"

enum { BODIES = 5 };

static struct body {
	double x, y, z, vx, vy, vz, mass;
} bodies[BODIES];

static void advance(double dt) {
	for (int i = 0; i < BODIES; i++) {
		struct body *p = &bodies[i];
		for (int j = i + 1; j < BODIES; j++) {
			struct body *q = &bodies[j];
			double dx = p->x - q->x, dy = p->y - q->y, dz = p->z - q->z;
			double d2 = dx * dx + dy * dy + dz * dz + 0.01;
			double m = dt / (d2 * __builtin_sqrt(d2));
			p->vx -= dx * q->mass * m, p->vy -= dy * q->mass * m, p->vz -= dz * q->mass * m;
			q->vx += dx * p->mass * m, q->vy += dy * p->mass * m, q->vz += dz * p->mass * m;
		}
	}
	for (int i = 0; i < BODIES; i++) {
		struct body *p = &bodies[i];
		p->x += dt * p->vx, p->y += dt * p->vy, p->z += dt * p->vz;
	}
}

i64 run(i64 n) {
	u64 sum = 0, seed = 3;
	for (int i = 0; i < BODIES; i++) {
		double *f = &bodies[i].x;
		for (int j = 0; j < 6; j++)
			f[j] = (double)(next_random(&seed) >> 44) / 65536 - 8;
		bodies[i].mass = 1 + i;
	}
	for (i64 round = 0; round < n; round++) {
		for (int step = 0; step < 1000; step++)
			advance(0.001);
		sum = mix(sum, bits(bodies[round % BODIES].x));
	}
	return (i64)sum;
}
