/* tgmath.h: its macros choose by type. */

#include <float.h>
#include <tgmath.h>

#include "check.h"

static int near(long double got, long double want) { return fabsl(got - want) <= 8 * FLT_EPSILON * fabsl(want); }

/* Of floats a float, of anything with a double a double, of integers a double. */
#define TYPES1(f, x) (sizeof f(F(x)) == sizeof(float) && sizeof f(D(x)) == sizeof(double) && sizeof f(L(x)) == sizeof(long double) && sizeof f(N(1)) == sizeof(double))
#define TYPES2(f, x, y) (sizeof f(F(x), F(y)) == sizeof(float) && sizeof f(F(x), D(y)) == sizeof(double) && sizeof f(L(x), F(y)) == sizeof(long double) && sizeof f(F(x), N(1)) == sizeof(double))
#define REAL1(f, x, want) IS(f, near(f(F(x)), want##L) && near(f(D(x)), want##L) && near(f(L(x)), want##L) && TYPES1(f, x))
#define REAL2(f, x, y, want) IS(f, near(f(F(x), F(y)), want##L) && near(f(D(x), F(y)), want##L) && near(f(L(x), D(y)), want##L) && TYPES2(f, x, y))
#define INTEGER(f, x, want) IS(f, f(F(x)) == want && f(D(x)) == want && f(L(x)) == want && sizeof f(F(x)) == sizeof f(L(x)))

static const volatile float complex zf = 0.5f + 0.25f * I;
static const volatile double complex z = 0.5 + 0.25 * I;
static const volatile long double complex zl = 0.5L + 0.25L * I;

#define BOTH1(f, x, want, re, im) IS(f, near(f(F(x)), want##L) && near(f(D(x)), want##L) && near(f(L(x)), want##L) && TYPES1(f, x) && \
	sizeof f(zf) == sizeof(float complex) && sizeof f(z) == sizeof(double complex) && sizeof f(zl) == sizeof(long double complex) && \
	cabsl(f(zf) - (re##L + im##L * I)) < 1e-5L && cabsl(f(z) - (re##L + im##L * I)) < 1e-14L && cabsl(f(zl) - (re##L + im##L * I)) < 1e-14L)

void generic(void) {
	int e, q;
	header("tgmath.h");
	BOTH1(acos, 0.5, 1.04719755119659774613, 1.06918747351939585606, -0.281396056245292769263);
	BOTH1(asin, 0.5, 0.523598775598298873067, 0.501608853275500763194, 0.281396056245292769263);
	BOTH1(atan, 0.5, 0.463647609000806116202, 0.484254490329966218767, 0.200586618131234322782);
	BOTH1(acosh, 1.5, 0.962423650119206894999, 0.281396056245292769263, 1.06918747351939585606);
	BOTH1(asinh, 0.5, 0.481211825059603447499, 0.492675683420770615749, 0.224328452634667499849);
	BOTH1(atanh, 0.5, 0.54930614433405484568, 0.500370000052531017454, 0.314398143207716477242);
	BOTH1(cos, 0.5, 0.87758256189037271613, 0.905150150559606702684, -0.121108796043811653535);
	BOTH1(sin, 0.5, 0.479425538604203000282, 0.494485780933194994652, 0.221688164149574804026);
	BOTH1(tan, 0.5, 0.546302489843790513269, 0.504500702698563984415, 0.312420692502588808631);
	BOTH1(cosh, 0.5, 1.12762596520638078525, 1.09257080473191768187, 0.128921041728098250759);
	BOTH1(sinh, 0.5, 0.52109530549374736164, 0.50489571438799501742, 0.278979128350261522471);
	BOTH1(tanh, 0.5, 0.462117157260009758514, 0.485487281024135347514, 0.19805544995134953419);
	BOTH1(exp, 0.5, 1.64872127070012814689, 1.59746651911991269929, 0.407900170078359773244);
	BOTH1(log, 0.75, -0.287682072451780927443, -0.581575404902840431554, 0.463647609000806116202);
	BOTH1(sqrt, 0.75, 0.866025403784438646787, 0.727673345112677404036, 0.171780374861256232064);
	REAL1(cbrt, 0.75, 0.908560296416069829455);
	REAL1(erf, 0.5, 0.52049987781304653771);
	REAL1(erfc, 0.5, 0.479500122186953462317);
	REAL1(exp2, 0.5, 1.41421356237309504876);
	REAL1(expm1, 0.0625, 0.0644944589178594295664);
	REAL1(lgamma, 0.75, 0.203280951431295371472);
	REAL1(log10, 0.75, -0.124938736608299953132);
	REAL1(log1p, 0.0625, 0.0606246218164348425809);
	REAL1(log2, 0.75, -0.415037499278843818553);
	REAL1(tgamma, 0.75, 1.22541670246517764515);
	REAL2(atan2, 0.5, -0.75, 2.55359005004222568733);
	REAL2(hypot, 0.75, 1.25, 1.45773797371132511776);
	IS(pow, near(pow(F(0.75f), F(2.5f)), 0.487139289628746738797L) && near(pow(D(0.75), N(2)), 0.5625L) && TYPES2(pow, 0.75, 2.5) &&
		cabsl(pow(z, 0.75 - 0.5 * I) - (0.654563069599518564817L + 0.48585022961745411184L * I)) < 1e-14L && sizeof pow(zf, F(1)) == sizeof(float complex));
	IS(fabs, fabs(F(-1.5f)) == 1.5 && fabs(L(-2)) == 2 && sizeof fabs(F(1)) == sizeof(float) && near(fabs(z), 0.559016994374947424104L));
	REAL1(ceil, 1.25, 2.0);
	REAL1(floor, 1.75, 1.0);
	REAL1(trunc, -1.75, -1.0);
	REAL1(round, 2.5, 3.0);
	REAL1(nearbyint, 2.5, 2.0);
	REAL1(rint, 3.5, 4.0);
	REAL1(logb, 10, 3.0);
	REAL2(copysign, 1.5, -2, -1.5);
	REAL2(fdim, 3, 1, 2.0);
	REAL2(fmax, 3, 1, 3.0);
	REAL2(fmin, 3, 1, 1.0);
	REAL2(fmod, 5.5, 2, 1.5);
	REAL2(remainder, 5.5, 2, -0.5);
	REAL2(nextafter, 1, 2, 1.0);
	IS(nexttoward, nexttoward(F(1), L(2)) > 1 && sizeof nexttoward(F(1), L(2)) == sizeof(float) && nexttoward(D(1), L(0)) < 1);
	IS(fma, fma(F(3), F(4), F(-5)) == 7 && sizeof fma(F(3), F(4), F(5)) == sizeof(float) && sizeof fma(F(3), D(4), F(5)) == sizeof(double));
	IS(frexp, frexp(F(12), &e) == 0.75 && e == 4 && sizeof frexp(F(12), &e) == sizeof(float));
	IS(remquo, remquo(F(11), F(4), &q) == -1 && q == 3 && sizeof remquo(F(11), L(4), &q) == sizeof(long double));
	IS(ldexp, ldexp(F(0.75f), N(4)) == 12 && sizeof ldexp(F(1), 1) == sizeof(float));
	IS(scalbn, scalbn(D(0.75), N(4)) == 12 && sizeof scalbn(F(1), 1) == sizeof(float));
	IS(scalbln, scalbln(L(0.75L), 4L) == 12 && sizeof scalbln(F(1), 1L) == sizeof(float));
	INTEGER(ilogb, 10, 3);
	INTEGER(lrint, 2.5, 2);
	INTEGER(llrint, 3.5, 4);
	INTEGER(lround, 2.5, 3);
	INTEGER(llround, -2.5, -3);
	IS(carg, near(carg(z), 0.463647609000806116202L) && carg(F(1)) == 0 && sizeof carg(zf) == sizeof(float));
	IS(cimag, cimag(z) == 0.25 && cimag(zl) == 0.25 && sizeof cimag(zf) == sizeof(float));
	IS(creal, creal(z) == 0.5 && creal(L(3)) == 3 && sizeof creal(zf) == sizeof(float));
	IS(conj, conj(z) == 0.5 - 0.25 * I && sizeof conj(zf) == sizeof(float complex));
	IS(cproj, cproj(z) == z && sizeof cproj(zl) == sizeof(long double complex));
}
