/* catanl of wasi-libc 22 is right to seven digits, and catanhl calls it. This is
 * right to as many as its other functions of long double. */

#include <complex.h>

long double complex catanl(long double complex z) { return catan(z); }
