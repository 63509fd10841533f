/* The headers of macros and types alone: assert.h, errno.h, iso646.h, stdarg.h,
 * stdbool.h, stddef.h. */

#include <assert.h>
#include <errno.h>
#include <iso646.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "check.h"

static long long sum(const char *types, ...) {
	va_list args, again;
	long long total = 0;
	va_start(args, types);
	va_copy(again, args);
	for (const char *t = types; *t; t++) {
		switch (*t) {
		case 'i': total += va_arg(args, int); break;
		case 'j': total += va_arg(args, long long); break;
		case 'd': total += (long long)va_arg(args, double); break;
		case 'l': total += (long long)va_arg(args, long double); break;
		case 's': total += *va_arg(args, const char *); break;
		}
	}
	if (*types == 'i') total += 1000LL * va_arg(again, int);
	va_end(again);
	va_end(args);
	return total;
}

struct pair { char first; double second; };

void language(void) {
	int evaluated = 0;
	header("assert.h");
	assert(++evaluated);
	IS(assert, evaluated == 1);
	header("errno.h");
	errno = EDOM;
	IS(errno, errno == EDOM && EDOM > 0 && ERANGE > 0 && EILSEQ > 0 && EDOM != ERANGE && ERANGE != EILSEQ);
	header("iso646.h");
	IS(and or not, (1 and not 0) or 0);
	IS(bitand bitor compl xor, (6 bitand 3) == 2 and (6 bitor 1) == 7 and (6 xor 3) == 5 and compl 0 == -1 and 1 not_eq 2);
	int bits = 6;
	bits and_eq 3;
	bits or_eq 8;
	bits xor_eq 1;
	IS(and_eq or_eq xor_eq, bits == 11);
	header("stdarg.h");
	IS(va_start va_arg va_copy va_end, sum("ijdls", 1, 2LL, 3.5, 4.5L, "\5") == 1015 and sum("") == 0);
	header("stdbool.h");
	IS(bool true false, (bool)0.5 == true and false == 0 and __bool_true_false_are_defined);
	header("stddef.h");
	IS(offsetof, offsetof(struct pair, second) >= 1 and offsetof(struct pair, first) == 0);
	IS(NULL, NULL == (void *)0 and sizeof(ptrdiff_t) == sizeof(size_t) and sizeof(wchar_t) >= 1);
}
