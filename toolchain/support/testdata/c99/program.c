/* stdlib.h, signal.h, setjmp.h, time.h. */

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"

static void conversions(void) {
	char *end;
	header("stdlib.h");
	IS(atof, atof(S(" -2.5e1x")) == -25);
	IS(atoi, atoi(S(" -42x")) == -42);
	IS(atol, atol(S("+77")) == 77);
	IS(atoll, atoll(S("-9000000000")) == -9000000000LL);
	IS(strtod, strtod(S("0x1.8p3!"), &end) == 12 && *end == '!' && isinf(strtod(S("-inf"), NULL)) && isnan(strtod(S("nan"), NULL)));
	errno = 0;
	IS(strtod out of range, strtod(S("1e999"), NULL) == HUGE_VAL && errno == ERANGE);
	IS(strtof, strtof(S("0.1"), &end) == 0.1f && *end == 0);
	IS(strtold, strtold(S("0.5e1"), &end) == 5 && *end == 0);
	errno = 0;
	IS(strtol, strtol(S("-0x1fz"), &end, 0) == -31 && *end == 'z' && strtol(S("zz"), NULL, 36) == 1295 && strtol(S("99999999999999999999"), NULL, 10) == LONG_MAX && errno == ERANGE);
	IS(strtoll, strtoll(S("-9223372036854775808"), &end, 10) == LLONG_MIN && *end == 0);
	IS(strtoul, strtoul(S("4294967295"), &end, 10) == 4294967295UL && strtoul(S("-1"), NULL, 10) == ULONG_MAX);
	IS(strtoull, strtoull(S("18446744073709551615"), &end, 10) == ULLONG_MAX);
}

static int by_value(const void *a, const void *b) {
	int x = *(const int *)a, y = *(const int *)b;
	return (x > y) - (x < y);
}

static void memory(void) {
	int zero = 1, first;
	char *p = calloc(100, 10);
	for (int n = 0; p && n < 1000; n++) zero &= p[n] == 0;
	IS(calloc, p && zero);
	free(p);
	p = malloc(10);
	void *volatile none = malloc((size_t)N(-1) / 2);
	IS(malloc, p && strcpy(p, "kept") && none == NULL);
	p = realloc(p, 100000);
	IS(realloc, p && strcmp(p, "kept") == 0);
	free(p);
	free(NULL);
	IS(free, 1);

	srand(7);
	first = rand();
	int differ = rand() != first;
	srand(7);
	IS(rand, differ && rand() == first && RAND_MAX >= 32767);
	srand(8);
	IS(srand, rand() != first);

	int numbers[] = {5, 3, 9, -1, 7, 3}, key = 7, missing = 4;
	qsort(numbers, 6, sizeof *numbers, by_value);
	IS(qsort, numbers[0] == -1 && numbers[1] == 3 && numbers[2] == 3 && numbers[3] == 5 && numbers[4] == 7 && numbers[5] == 9);
	IS(bsearch, bsearch(&key, numbers, 6, sizeof *numbers, by_value) == numbers + 4 && bsearch(&missing, numbers, 6, sizeof *numbers, by_value) == NULL);

	IS(abs, abs(N(-5)) == 5);
	IS(labs, labs(-5L) == 5);
	IS(llabs, llabs(-9000000000LL) == 9000000000LL);
	div_t d = div(N(-7), 2);
	ldiv_t ld = ldiv(-7L, 2);
	lldiv_t lld = lldiv(-9000000001LL, 2);
	IS(div, d.quot == -3 && d.rem == -1);
	IS(ldiv, ld.quot == -3 && ld.rem == -1);
	IS(lldiv, lld.quot == -4500000000LL && lld.rem == -1);
	IS(getenv, getenv("NO_SUCH_VARIABLE") == NULL);
	IS(system, system(NULL) == 0 || system("exit 3") != 0);
	IS(EXIT_SUCCESS, EXIT_SUCCESS == 0 && EXIT_FAILURE != 0);
}

static jmp_buf env;
static volatile sig_atomic_t caught, times;

static void catch(int sig) { caught = sig; times++; }
static void leave(int sig) { longjmp(env, sig); }

static void jumps(void) {
	header("setjmp.h");
	volatile int tries = 0;
	int got = setjmp(env);
	tries++;
	if (got == 0) longjmp(env, 0);
	IS(setjmp, got == 1 && tries == 2);
	if ((got = setjmp(env)) == 0) longjmp(env, 7);
	IS(longjmp, got == 7);
}

static void signals(void) {
	header("signal.h");
	static const int all[] = {SIGABRT, SIGFPE, SIGILL, SIGINT, SIGSEGV, SIGTERM};
	int ok = 1;
	for (int n = 0; n < 6; n++) ok &= signal(all[n], catch) == SIG_DFL;
	IS(signal, ok && signal(SIGINT, catch) == catch && signal(-1, catch) == SIG_ERR);
	for (int n = 0; n < 6; n++) {
		if (all[n] == SIGABRT) continue;
		signal(all[n], catch);
		ok &= raise(all[n]) == 0 && caught == all[n];
	}
	IS(raise, ok && times == 5 && raise(-1) != 0);
	times = 0;
	IS(SIG_IGN, signal(SIGTERM, SIG_IGN) != SIG_ERR && raise(SIGTERM) == 0 && times == 0 && signal(SIGTERM, SIG_DFL) == SIG_IGN);
	for (int n = 0; n < 6; n++) signal(all[n], SIG_DFL);

	header("stdlib.h");
	volatile int got = 0;
	signal(SIGABRT, leave);
	if ((got = setjmp(env)) == 0) abort();
	IS(abort, got == SIGABRT);
	signal(SIGABRT, SIG_DFL);
}

static void times_(void) {
	char said[200];
	header("time.h");
	time_t now = time(NULL), then = 1000000000, made;
	clock_t before = clock();
	volatile double work = 0;
	for (int n = 0; n < 1000; n++) work += n;
	IS(clock, work > 0 && before != (clock_t)-1 && clock() >= before && CLOCKS_PER_SEC > 0);
	IS(time, now != (time_t)-1 && time(&made) >= now && made >= now);
	IS(difftime, difftime(then + 5, then) == 5);
	struct tm tm = *gmtime(&then);
	IS(gmtime, tm.tm_year == 101 && tm.tm_mon == 8 && tm.tm_mday == 9 && tm.tm_hour == 1 && tm.tm_min == 46 && tm.tm_sec == 40 && tm.tm_wday == 0 && tm.tm_yday == 251 && tm.tm_isdst == 0);
	IS(asctime, strcmp(asctime(&tm), "Sun Sep  9 01:46:40 2001\n") == 0);
	struct tm local = *localtime(&then);
	made = mktime(&local);
	IS(localtime, made == then);
	struct tm over = {.tm_year = 126, .tm_mon = 12, .tm_mday = 32, .tm_hour = 12, .tm_isdst = -1};
	IS(mktime, mktime(&over) != (time_t)-1 && over.tm_year == 127 && over.tm_mon == 1 && over.tm_mday == 1 && over.tm_wday == 1);
	local = *localtime(&then);
	strcpy(said, asctime(&local));
	IS(ctime, strcmp(ctime(&then), said) == 0);
	IS(strftime, strftime(said, sizeof said, "%a %A %b %B %C %d %D %e %F %g %G %H %I %j %m %M %p %r %R %S %T %u %U %V %w %W %x %X %y %Y %%", &tm) > 0 &&
		strcmp(said, "Sun Sunday Sep September 20 09 09/09/01  9 2001-09-09 01 2001 01 01 252 09 46 AM 01:46:40 AM 01:46 40 01:46:40 7 36 36 0 36 09/09/01 01:46:40 01 2001 %") == 0 &&
		strftime(said, 3, "%Y", &tm) == 0);
}

void program(void) {
	conversions();
	memory();
	jumps();
	signals();
	times_();
}
