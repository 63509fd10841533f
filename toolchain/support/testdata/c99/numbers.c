/* math.h, complex.h, fenv.h, float.h, limits.h, stdint.h, inttypes.h. */

#include <complex.h>
#include <fenv.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "check.h"

/* C99 asks for no accuracy. This is what every library does: long double only
 * as well as double. */
static int near(long double got, long double want, long double epsilon) {
	return fabsl(got - want) <= 8 * epsilon * fabsl(want);
}

#define REAL1(fn, x, want) do { \
	IS(fn, near(fn(D(x)), want##L, DBL_EPSILON)); \
	IS(fn##f, near(fn##f(F(x)), want##L, FLT_EPSILON)); \
	IS(fn##l, near(fn##l(L(x)), want##L, DBL_EPSILON)); \
} while (0)

#define REAL2(fn, x, y, want) do { \
	IS(fn, near(fn(D(x), D(y)), want##L, DBL_EPSILON)); \
	IS(fn##f, near(fn##f(F(x), F(y)), want##L, FLT_EPSILON)); \
	IS(fn##l, near(fn##l(L(x), L(y)), want##L, DBL_EPSILON)); \
} while (0)

/* What has to be exact, in each of the three types. */
#define EACH(fn, e) do { \
	{ typedef double real; IS(fn, e(fn, real)); } \
	{ typedef float real; IS(fn##f, e(fn##f, real)); } \
	{ typedef long double real; IS(fn##l, e(fn##l, real)); } \
} while (0)

#define V(x) (*(volatile real *)&(real){x})
#define CEIL(fn, real) (fn(V(-1.5)) == -1 && fn(V(1.25)) == 2 && signbit(fn(V(-0.5))))
#define FLOOR(fn, real) (fn(V(-1.5)) == -2 && fn(V(1.75)) == 1)
#define TRUNC(fn, real) (fn(V(-1.75)) == -1 && fn(V(1.75)) == 1)
#define EVEN(fn, real) (fn(V(0.5)) == 0 && fn(V(1.5)) == 2 && fn(V(-2.5)) == -2)
#define AWAY(fn, real) (fn(V(0.5)) == 1 && fn(V(1.25)) == 1 && fn(V(-2.5)) == -3)
#define FABS(fn, real) (fn(V(-1.5)) == 1.5 && fn(V(1.5)) == 1.5)
#define FMOD(fn, real) (fn(V(5.5), V(-2)) == 1.5 && fn(V(-5.5), V(2)) == -1.5 && isnan(fn(V(1), V(0))))
#define REMAINDER(fn, real) (fn(V(5.5), V(2)) == -0.5 && fn(V(3), V(2)) == -1)
#define COPYSIGN(fn, real) (fn(V(1), V(-0.0)) == -1 && fn(V(-2), V(3)) == 2)
#define FDIM(fn, real) (fn(V(3), V(1)) == 2 && fn(V(1), V(3)) == 0)
#define FMAX(fn, real) (fn(V(3), V(1)) == 3 && fn(V(NAN), V(-1)) == -1)
#define FMIN(fn, real) (fn(V(3), V(1)) == 1 && fn(V(1), V(NAN)) == 1)
#define FMA(fn, real) (fn(V(3), V(4), V(-5)) == 7)
#define ILOGB(fn, real) (fn(V(10)) == 3 && fn(V(0.25)) == -2 && fn(V(0)) == FP_ILOGB0 && fn(V(NAN)) == FP_ILOGBNAN)
#define LDEXP(fn, real) (fn(V(0.75), N(4)) == 12 && fn(V(1), N(-2)) == 0.25)
#define LOGB(fn, real) (fn(V(10)) == 3 && fn(V(0.25)) == -2)
#define NAN_(fn, real) (isnan((real)fn(S(""))))
#define NEXTAFTER(fn, real) (fn(V(1), V(2)) > 1 && fn(V(1), V(2)) - 1 < 1e-6 && fn(V(0), V(0)) == 0)
#define NEXTTOWARD(fn, real) (fn(V(1), L(0)) < 1 && 1 - fn(V(1), L(0)) < 1e-6)

static int frexp_(void) { int e; return frexp(D(12), &e) == 0.75 && e == 4; }
static int frexpf_(void) { int e; return frexpf(F(12), &e) == 0.75f && e == 4; }
static int frexpl_(void) { int e; return frexpl(L(12), &e) == 0.75L && e == 4; }
static int modf_(void) { double n; return modf(D(-2.75), &n) == -0.75 && n == -2; }
static int modff_(void) { float n; return modff(F(-2.75f), &n) == -0.75f && n == -2; }
static int modfl_(void) { long double n; return modfl(L(-2.75L), &n) == -0.75L && n == -2; }
static int remquo_(void) { int q; return remquo(D(11), D(4), &q) == -1 && q == 3; }
static int remquof_(void) { int q; return remquof(F(11), F(4), &q) == -1 && q == 3; }
static int remquol_(void) { int q; return remquol(L(11), L(-4), &q) == -1 && q == -3; }

static void math(void) {
	header("math.h");
	REAL1(acos, 0.5, 1.04719755119659774613);
	REAL1(asin, 0.5, 0.523598775598298873067);
	REAL1(atan, 0.5, 0.463647609000806116202);
	REAL2(atan2, 0.5, -0.75, 2.55359005004222568733);
	REAL1(cos, 0.5, 0.87758256189037271613);
	REAL1(sin, 0.5, 0.479425538604203000282);
	REAL1(tan, 0.5, 0.546302489843790513269);
	REAL1(acosh, 1.5, 0.962423650119206894999);
	REAL1(asinh, 0.5, 0.481211825059603447499);
	REAL1(atanh, 0.5, 0.54930614433405484568);
	REAL1(cosh, 0.5, 1.12762596520638078525);
	REAL1(sinh, 0.5, 0.52109530549374736164);
	REAL1(tanh, 0.5, 0.462117157260009758514);
	REAL1(exp, 0.5, 1.64872127070012814689);
	REAL1(exp2, 0.5, 1.41421356237309504876);
	REAL1(expm1, 0.0625, 0.0644944589178594295664);
	REAL1(log, 0.75, -0.287682072451780927443);
	REAL1(log10, 0.75, -0.124938736608299953132);
	REAL1(log1p, 0.0625, 0.0606246218164348425809);
	REAL1(log2, 0.75, -0.415037499278843818553);
	REAL1(cbrt, 0.75, 0.908560296416069829455);
	REAL2(hypot, 0.75, 1.25, 1.45773797371132511776);
	REAL2(pow, 0.75, 2.5, 0.487139289628746738797);
	REAL1(sqrt, 0.75, 0.866025403784438646787);
	REAL1(erf, 0.5, 0.52049987781304653771);
	REAL1(erfc, 0.5, 0.479500122186953462317);
	REAL1(lgamma, 0.75, 0.203280951431295371472);
	REAL1(tgamma, 0.75, 1.22541670246517764515);
	EACH(ceil, CEIL);
	EACH(floor, FLOOR);
	EACH(trunc, TRUNC);
	EACH(nearbyint, EVEN);
	EACH(rint, EVEN);
	EACH(lrint, EVEN);
	EACH(llrint, EVEN);
	EACH(round, AWAY);
	EACH(lround, AWAY);
	EACH(llround, AWAY);
	EACH(fabs, FABS);
	EACH(fmod, FMOD);
	EACH(remainder, REMAINDER);
	EACH(copysign, COPYSIGN);
	EACH(fdim, FDIM);
	EACH(fmax, FMAX);
	EACH(fmin, FMIN);
	EACH(fma, FMA);
	EACH(ilogb, ILOGB);
	EACH(ldexp, LDEXP);
	EACH(scalbn, LDEXP);
	EACH(scalbln, LDEXP);
	EACH(logb, LOGB);
	EACH(nan, NAN_);
	EACH(nextafter, NEXTAFTER);
	EACH(nexttoward, NEXTTOWARD);
	IS(frexp, frexp_());
	IS(frexpf, frexpf_());
	IS(frexpl, frexpl_());
	IS(modf, modf_());
	IS(modff, modff_());
	IS(modfl, modfl_());
	IS(remquo, remquo_());
	IS(remquof, remquof_());
	IS(remquol, remquol_());

	IS(fpclassify, fpclassify(D(0)) == FP_ZERO && fpclassify(F(1)) == FP_NORMAL && fpclassify(L(NAN)) == FP_NAN &&
		fpclassify(D(-INFINITY)) == FP_INFINITE && fpclassify(D(DBL_MIN / 2)) == FP_SUBNORMAL);
	IS(isfinite, isfinite(D(1)) && !isfinite(F(INFINITY)) && !isfinite(L(NAN)));
	IS(isinf, isinf(D(-INFINITY)) && !isinf(F(1)) && !isinf(L(NAN)));
	IS(isnan, isnan(D(NAN)) && !isnan(F(1)) && !isnan(L(INFINITY)));
	IS(isnormal, isnormal(D(1)) && !isnormal(F(FLT_MIN / 2)) && !isnormal(L(0)));
	IS(signbit, signbit(D(-0.0)) && !signbit(F(1)) && signbit(L(-1)));
	IS(isgreater, isgreater(D(2), D(1)) && !isgreater(D(NAN), D(1)));
	IS(isgreaterequal, isgreaterequal(F(2), F(2)) && !isgreaterequal(D(1), D(NAN)));
	IS(isless, isless(L(1), L(2)) && !isless(D(NAN), D(1)));
	IS(islessequal, islessequal(D(1), D(1)) && !islessequal(F(NAN), F(1)));
	IS(islessgreater, islessgreater(D(1), D(2)) && !islessgreater(D(1), D(1)) && !islessgreater(D(NAN), D(1)));
	IS(isunordered, isunordered(D(NAN), D(1)) && !isunordered(D(1), D(2)));

	IS(HUGE_VAL, isinf(HUGE_VAL) && HUGE_VAL > 0);
	IS(HUGE_VALF, isinf(HUGE_VALF) && sizeof HUGE_VALF == sizeof(float));
	IS(HUGE_VALL, isinf(HUGE_VALL) && sizeof HUGE_VALL == sizeof(long double));
	IS(INFINITY, isinf(INFINITY) && INFINITY > 0);
	IS(NAN, isnan(NAN));
	IS(math_errhandling, (math_errhandling & ~(MATH_ERRNO | MATH_ERREXCEPT)) == 0 && math_errhandling != 0);
	IS(float_t, sizeof(float_t) >= sizeof(float) && sizeof(double_t) >= sizeof(float_t));
}

/* How far got is from what is wanted, with the sign of zero aside. */
static int cnear(long double complex got, long double re, long double im, long double epsilon) {
	return cabsl(got - (re + im * I)) <= 16 * epsilon * cabsl(re + im * I);
}

static const volatile double complex z = 0.5 + 0.25 * I;
static const volatile float complex zf = 0.5f + 0.25f * I;
static const volatile long double complex zl = 0.5L + 0.25L * I;

#define COMPLEX1(fn, re, im) do { \
	IS(fn, cnear(fn(z), re##L, im##L, DBL_EPSILON)); \
	IS(fn##f, cnear(fn##f(zf), re##L, im##L, FLT_EPSILON)); \
	IS(fn##l, cnear(fn##l(zl), re##L, im##L, DBL_EPSILON)); \
} while (0)
#define COMPLEXR(fn, want) do { \
	IS(fn, near(fn(z), want, DBL_EPSILON)); \
	IS(fn##f, near(fn##f(zf), want, FLT_EPSILON)); \
	IS(fn##l, near(fn##l(zl), want, DBL_EPSILON)); \
} while (0)

static void complexes(void) {
	header("complex.h");
	COMPLEX1(cacos, 1.06918747351939585606, -0.281396056245292769263);
	COMPLEX1(casin, 0.501608853275500763194, 0.281396056245292769263);
	COMPLEX1(catan, 0.484254490329966218767, 0.200586618131234322782);
	COMPLEX1(ccos, 0.905150150559606702684, -0.121108796043811653535);
	COMPLEX1(csin, 0.494485780933194994652, 0.221688164149574804026);
	COMPLEX1(ctan, 0.504500702698563984415, 0.312420692502588808631);
	COMPLEX1(cacosh, 0.281396056245292769263, 1.06918747351939585606);
	COMPLEX1(casinh, 0.492675683420770615749, 0.224328452634667499849);
	COMPLEX1(catanh, 0.500370000052531017454, 0.314398143207716477242);
	COMPLEX1(ccosh, 1.09257080473191768187, 0.128921041728098250759);
	COMPLEX1(csinh, 0.50489571438799501742, 0.278979128350261522471);
	COMPLEX1(ctanh, 0.485487281024135347514, 0.19805544995134953419);
	COMPLEX1(cexp, 1.59746651911991269929, 0.407900170078359773244);
	COMPLEX1(clog, -0.581575404902840431554, 0.463647609000806116202);
	COMPLEX1(csqrt, 0.727673345112677404036, 0.171780374861256232064);
	IS(cpow, cnear(cpow(z, 0.75 - 0.5 * I), 0.654563069599518564817L, 0.48585022961745411184L, DBL_EPSILON));
	IS(cpowf, cnear(cpowf(zf, 0.75f - 0.5f * I), 0.654563069599518564817L, 0.48585022961745411184L, FLT_EPSILON));
	IS(cpowl, cnear(cpowl(zl, 0.75L - 0.5L * I), 0.654563069599518564817L, 0.48585022961745411184L, DBL_EPSILON));
	COMPLEXR(cabs, 0.559016994374947424104L);
	COMPLEXR(carg, 0.463647609000806116202L);
	COMPLEXR(creal, 0.5L);
	COMPLEXR(cimag, 0.25L);
	IS(conj, conj(z) == 0.5 - 0.25 * I);
	IS(conjf, conjf(zf) == 0.5f - 0.25f * I);
	IS(conjl, conjl(zl) == 0.5L - 0.25L * I);
	IS(cproj, cproj(z) == 0.5 + 0.25 * I && isinf(creal(cproj(D(-INFINITY) + I))) && creal(cproj(D(-INFINITY) + I)) > 0);
	IS(cprojf, cprojf(zf) == 0.5f + 0.25f * I);
	IS(cprojl, cprojl(zl) == 0.5L + 0.25L * I);
	IS(I, I * I == -1 && _Complex_I == I);
	IS(complex, sizeof(double complex) == 2 * sizeof(double));
}

/* Exceptions and ways to round are there or not: the macros say which. */
static void environment(void) {
	fenv_t env, held;
	fexcept_t flags;
	header("fenv.h");
	IS(feclearexcept, feclearexcept(FE_ALL_EXCEPT) == 0 && fetestexcept(FE_ALL_EXCEPT) == 0);
	IS(feraiseexcept, feraiseexcept(FE_ALL_EXCEPT) == 0);
	IS(fetestexcept, fetestexcept(FE_ALL_EXCEPT) == FE_ALL_EXCEPT);
	IS(fegetexceptflag, fegetexceptflag(&flags, FE_ALL_EXCEPT) == 0);
	feclearexcept(FE_ALL_EXCEPT);
	IS(fesetexceptflag, fesetexceptflag(&flags, FE_ALL_EXCEPT) == 0 && fetestexcept(FE_ALL_EXCEPT) == FE_ALL_EXCEPT);
	feclearexcept(FE_ALL_EXCEPT);
	IS(fegetround, fegetround() == FE_TONEAREST);
	IS(fesetround, fesetround(FE_TONEAREST) == 0 && fesetround(-1) != 0);
	IS(fegetenv, fegetenv(&env) == 0);
	IS(feholdexcept, feholdexcept(&held) == 0 && fetestexcept(FE_ALL_EXCEPT) == 0);
	IS(feupdateenv, feupdateenv(&held) == 0);
	IS(fesetenv, fesetenv(&env) == 0 && fesetenv(FE_DFL_ENV) == 0 && fegetround() == FE_TONEAREST);
}

static void limits(void) {
	header("float.h");
	IS(FLT_RADIX, FLT_RADIX == 2 && FLT_ROUNDS == 1 && FLT_EVAL_METHOD >= 0 && DECIMAL_DIG >= 10);
	IS(FLT_, FLT_MANT_DIG == 24 && FLT_DIG == 6 && FLT_MIN_EXP == -125 && FLT_MAX_EXP == 128 && FLT_MIN_10_EXP == -37 &&
		FLT_MAX_10_EXP == 38 && FLT_MAX > 3.4e38f && FLT_MIN < 1.2e-38f && F(1) + FLT_EPSILON > 1);
	IS(DBL_, DBL_MANT_DIG == 53 && DBL_DIG == 15 && DBL_MIN_EXP == -1021 && DBL_MAX_EXP == 1024 && DBL_MIN_10_EXP == -307 &&
		DBL_MAX_10_EXP == 308 && DBL_MAX > 1.7e308 && DBL_MIN < 2.3e-308 && D(1) + DBL_EPSILON > 1);
	IS(LDBL_, LDBL_MANT_DIG >= 53 && LDBL_DIG >= 15 && LDBL_MIN_EXP <= -1021 && LDBL_MAX_EXP >= 1024 && LDBL_MIN_10_EXP <= -307 &&
		LDBL_MAX_10_EXP >= 308 && LDBL_MAX >= DBL_MAX && LDBL_MIN <= DBL_MIN && L(1) + LDBL_EPSILON > 1);

	header("limits.h");
	IS(CHAR_, CHAR_BIT == 8 && SCHAR_MIN == -128 && SCHAR_MAX == 127 && UCHAR_MAX == 255 && CHAR_MAX - CHAR_MIN == 255 && MB_LEN_MAX >= 1);
	IS(SHRT_, SHRT_MIN == -32768 && SHRT_MAX == 32767 && USHRT_MAX == 65535);
	IS(INT_, INT_MAX == 2147483647 && INT_MIN == -INT_MAX - 1 && UINT_MAX == 4294967295U);
	IS(LONG_, LONG_MAX >= INT_MAX && LONG_MIN == -LONG_MAX - 1 && ULONG_MAX == 2UL * LONG_MAX + 1);
	IS(LLONG_, LLONG_MAX == 9223372036854775807LL && LLONG_MIN == -LLONG_MAX - 1 && ULLONG_MAX == 2ULL * LLONG_MAX + 1);

	header("stdint.h");
	IS(intN_t, sizeof(int8_t) == 1 && sizeof(uint16_t) == 2 && sizeof(int32_t) == 4 && sizeof(uint64_t) == 8);
	IS(int_leastN_t, sizeof(int_least8_t) >= 1 && sizeof(uint_least16_t) >= 2 && sizeof(int_least32_t) >= 4 && sizeof(uint_least64_t) >= 8);
	IS(int_fastN_t, sizeof(int_fast8_t) >= 1 && sizeof(uint_fast16_t) >= 2 && sizeof(int_fast32_t) >= 4 && sizeof(uint_fast64_t) >= 8);
	IS(intptr_t, sizeof(intptr_t) >= sizeof(void *) && sizeof(uintmax_t) >= 8);
	IS(MIN MAX, INT8_MIN == -128 && UINT16_MAX == 65535 && INT32_MAX == 2147483647 && UINT64_MAX == ULLONG_MAX && INT_LEAST8_MAX >= 127 &&
		UINT_FAST64_MAX >= UINT64_MAX && INTPTR_MAX >= 32767 && INTMAX_MIN < 0 && PTRDIFF_MAX >= 65535 && SIZE_MAX >= 65535 &&
		SIG_ATOMIC_MAX >= 127 && WCHAR_MAX >= 127 && WINT_MAX >= 127);
	IS(C, sizeof(INT64_C(1)) == 8 && UINT8_C(255) == 255 && sizeof(UINTMAX_C(1)) == sizeof(uintmax_t));
}

static void formats(void) {
	char said[200];
	int8_t i8;
	uint16_t u16;
	int_least32_t l32;
	uint_fast64_t f64;
	intmax_t m;
	uintptr_t p;
	char *end;
	wchar_t *wend;
	header("inttypes.h");
	snprintf(said, sizeof said, "%" PRId8 " %" PRIu16 " %" PRIx32 " %" PRIX64 " %" PRIo64 " %" PRIiLEAST32 " %" PRIuFAST64 " %" PRIdMAX " %" PRIxPTR,
		(int8_t)-1, (uint16_t)65535, (uint32_t)0xdeadbeef, (uint64_t)0xdeadbeefcafe, (uint64_t)8, (int_least32_t)-5, (uint_fast64_t)7, (intmax_t)INT64_MIN, (uintptr_t)0xff);
	IS(PRI, strcmp(said, "-1 65535 deadbeef DEADBEEFCAFE 10 -5 7 -9223372036854775808 ff") == 0);
	IS(SCN, sscanf("-7 65535 -100000 ffffffffff -9000000000 abc", "%" SCNd8 " %" SCNu16 " %" SCNiLEAST32 " %" SCNxFAST64 " %" SCNdMAX " %" SCNxPTR, &i8, &u16, &l32, &f64, &m, &p) == 6 &&
		i8 == -7 && u16 == 65535 && l32 == -100000 && f64 == 0xffffffffff && m == -9000000000 && p == 0xabc);
	IS(imaxabs, imaxabs(INT64_C(-5000000000)) == INT64_C(5000000000));
	imaxdiv_t d = imaxdiv(INTMAX_C(-7), INTMAX_C(2));
	IS(imaxdiv, d.quot == -3 && d.rem == -1);
	IS(strtoimax, strtoimax("-9223372036854775808x", &end, 10) == INTMAX_MIN && *end == 'x');
	IS(strtoumax, strtoumax("0xffffffffffffffff", &end, 0) == UINT64_MAX && *end == 0);
	IS(wcstoimax, wcstoimax(L"-12z", &wend, 10) == -12 && *wend == L'z');
	IS(wcstoumax, wcstoumax(L"777", &wend, 8) == 511 && *wend == 0);
}

void numbers(void) {
	math();
	complexes();
	environment();
	limits();
	formats();
}
