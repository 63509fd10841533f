/* ctype.h, string.h, wctype.h, and the wide characters in memory of wchar.h. */

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#include "check.h"

/* The characters of ASCII that is(c) holds for, as a sum that tells them apart. */
#define SUM(is, type) static unsigned long sum_##is(void) { \
	unsigned long sum = 0; \
	for (int c = 0; c < 128; c++) if (is((type)c)) sum = (sum * 31 + (unsigned)c) & 0xffffffff; \
	return sum; \
}
SUM(isalnum, int) SUM(isalpha, int) SUM(isblank, int) SUM(iscntrl, int) SUM(isdigit, int) SUM(isgraph, int)
SUM(islower, int) SUM(isprint, int) SUM(ispunct, int) SUM(isspace, int) SUM(isupper, int) SUM(isxdigit, int)
SUM(iswalnum, wint_t) SUM(iswalpha, wint_t) SUM(iswblank, wint_t) SUM(iswcntrl, wint_t) SUM(iswdigit, wint_t) SUM(iswgraph, wint_t)
SUM(iswlower, wint_t) SUM(iswprint, wint_t) SUM(iswpunct, wint_t) SUM(iswspace, wint_t) SUM(iswupper, wint_t) SUM(iswxdigit, wint_t)

#define CLASS(is, sum) IS(is, sum_##is() == sum)

/* What C says of the C locale. */
#define CLASSES(is) \
	CLASS(is##alnum, 2076534431U); \
	CLASS(is##alpha, 3424626970U); \
	CLASS(is##blank, 311U); \
	CLASS(is##cntrl, 4067041903U); \
	CLASS(is##digit, 1584875013U); \
	CLASS(is##graph, 3974782479U); \
	CLASS(is##lower, 958031277U); \
	CLASS(is##print, 4122109487U); \
	CLASS(is##punct, 2139520730U); \
	CLASS(is##space, 267237237U); \
	CLASS(is##upper, 218640813U); \
	CLASS(is##xdigit, 2860741899U)

static void characters(void) {
	header("ctype.h");
	CLASSES(is);
	IS(tolower, tolower(N('Q')) == 'q' && tolower(N('1')) == '1' && tolower(N(EOF)) == EOF);
	IS(toupper, toupper(N('q')) == 'Q' && toupper(N('[')) == '[');

	header("wctype.h");
	CLASSES(isw);
	IS(iswctype, iswctype(L'x', wctype("alpha")) && !iswctype(L'7', wctype("alpha")));
	IS(wctype, wctype("digit") && wctype("xdigit") && !wctype("nonsense"));
	IS(towlower, towlower((wint_t)N(L'Q')) == L'q' && towlower(L'1') == L'1');
	IS(towupper, towupper((wint_t)N(L'q')) == L'Q');
	IS(towctrans, towctrans(L'q', wctrans("toupper")) == L'Q' && towctrans(L'Q', wctrans("tolower")) == L'q');
	IS(wctrans, wctrans("toupper") && !wctrans("nonsense"));
}

static void strings(void) {
	char a[32], b[32], *p;
	header("string.h");
	memset(a, 0, sizeof a);
	IS(memcpy, memcpy(a, S("abcdef"), 7) == a && memcmp(a, "abcdef", 7) == 0);
	IS(memmove, memmove(a + 2, a, 4) == a + 2 && strcmp(a, "ababcd") == 0);
	IS(strcpy, strcpy(a, S("one")) == a && strcmp(a, "one") == 0);
	memset(b, 'x', sizeof b);
	IS(strncpy, strncpy(b, S("ab"), 4) == b && memcmp(b, "ab\0\0x", 5) == 0);
	IS(strcat, strcat(a, S(" two")) == a && strcmp(a, "one two") == 0);
	IS(strncat, strncat(a, S("three"), 2) == a && strcmp(a, "one twoth") == 0);
	IS(memcmp, memcmp(S("a\0b"), "a\0c", 3) < 0 && memcmp(S("\xff"), "\1", 1) > 0);
	IS(strcmp, strcmp(S("a"), "ab") < 0 && strcmp(S("\xff"), "a") > 0 && strcmp(S("a"), "a") == 0);
	IS(strcoll, strcoll(S("abc"), "abd") < 0);
	IS(strncmp, strncmp(S("abc"), "abd", 2) == 0 && strncmp(S("abc"), "abd", 3) < 0);
	IS(strxfrm, strxfrm(a, S("abc"), sizeof a) == 3 && strcmp(a, "abc") == 0 && strxfrm(NULL, "abcd", 0) == 4);
	const char *s = S("a-b-c");
	IS(memchr, memchr(s, '-', 5) == s + 1 && memchr(s, 'z', 5) == NULL);
	IS(strchr, strchr(s, '-') == s + 1 && strchr(s, 0) == s + 5 && strchr(s, 'z') == NULL);
	IS(strcspn, strcspn(s, "c-") == 1 && strcspn(s, "z") == 5);
	IS(strpbrk, strpbrk(s, "cb") == s + 2 && strpbrk(s, "z") == NULL);
	IS(strrchr, strrchr(s, '-') == s + 3);
	IS(strspn, strspn(s, "-ab") == 4);
	IS(strstr, strstr(s, "b-") == s + 2 && strstr(s, "") == s && strstr(s, "bc") == NULL);
	strcpy(a, "/one//two");
	p = strtok(a, "/");
	IS(strtok, strcmp(p, "one") == 0 && strcmp(strtok(NULL, "/"), "two") == 0 && strtok(NULL, "/") == NULL);
	IS(memset, memset(a, 'q', 3) == a && memcmp(a, "qqq", 3) == 0);
	IS(strerror, strlen(strerror(EDOM)) > 0 && strcmp(strerror(EDOM), strerror(ERANGE)) != 0);
	IS(strlen, strlen(s) == 5 && strlen(S("")) == 0);
}

static int formatted(wchar_t *to, size_t size, const wchar_t *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vswprintf(to, size, format, args);
	va_end(args);
	return n;
}

static int scanned(const wchar_t *from, const wchar_t *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vswscanf(from, format, args);
	va_end(args);
	return n;
}

static void wide_strings(void) {
	wchar_t a[64], b[64], *end, *state;
	int n;
	double d;
	header("wchar.h");
	IS(swprintf, swprintf(a, 64, L"%d %ls %s %.2f %lc", 42, L"wide", "byte", 2.5, (wint_t)L'c') == 19 && wcscmp(a, L"42 wide byte 2.50 c") == 0 && swprintf(b, 2, L"abc") < 0);
	IS(vswprintf, formatted(a, 64, L"%x", 255) == 2 && wcscmp(a, L"ff") == 0);
	IS(swscanf, swscanf(L"12 word 0.5", L"%d %ls %lf", &n, a, &d) == 3 && n == 12 && wcscmp(a, L"word") == 0 && d == 0.5);
	IS(vswscanf, scanned(L"77", L"%o", &n) == 1 && n == 63);
	IS(wcstod, wcstod(L" -1.25e2z", &end) == -125 && *end == L'z');
	IS(wcstof, wcstof(L"0x1.8p1", &end) == 3 && *end == 0);
	IS(wcstold, wcstold(L"0.5", &end) == 0.5L && *end == 0);
	IS(wcstol, wcstol(L"-12a", &end, 10) == -12 && *end == L'a');
	IS(wcstoll, wcstoll(L"-9223372036854775808", &end, 10) == -9223372036854775807LL - 1 && *end == 0);
	IS(wcstoul, wcstoul(L"0x1f", &end, 0) == 31);
	IS(wcstoull, wcstoull(L"18446744073709551615", &end, 10) == 18446744073709551615ULL);
	IS(wcscpy, wcscpy(a, L"one") == a && wcscmp(a, L"one") == 0);
	wmemset(b, L'x', 8);
	IS(wcsncpy, wcsncpy(b, L"ab", 4) == b && b[2] == 0 && b[3] == 0 && b[4] == L'x');
	IS(wmemcpy, wmemcpy(b, L"abcdef", 7) == b && wcscmp(b, L"abcdef") == 0);
	IS(wmemmove, wmemmove(b + 2, b, 4) == b + 2 && wcscmp(b, L"ababcd") == 0);
	IS(wcscat, wcscat(a, L" two") == a && wcscmp(a, L"one two") == 0);
	IS(wcsncat, wcsncat(a, L"three", 2) == a && wcscmp(a, L"one twoth") == 0);
	IS(wcscmp, wcscmp(L"a", L"b") < 0 && wcscmp(L"b", L"a") > 0);
	IS(wcscoll, wcscoll(L"abc", L"abd") < 0);
	IS(wcsncmp, wcsncmp(L"abc", L"abd", 2) == 0 && wcsncmp(L"abc", L"abd", 3) < 0);
	IS(wcsxfrm, wcsxfrm(b, L"abc", 64) == 3 && wcscmp(b, L"abc") == 0);
	IS(wmemcmp, wmemcmp(L"ab", L"ac", 2) < 0 && wmemcmp(L"ab", L"ac", 1) == 0);
	wcscpy(a, L"a-b-c");
	IS(wcschr, wcschr(a, L'-') == a + 1 && wcschr(a, L'z') == NULL);
	IS(wcscspn, wcscspn(a, L"c-") == 1);
	IS(wcspbrk, wcspbrk(a, L"cb") == a + 2);
	IS(wcsrchr, wcsrchr(a, L'-') == a + 3);
	IS(wcsspn, wcsspn(a, L"-ab") == 4);
	IS(wcsstr, wcsstr(a, L"b-") == a + 2 && wcsstr(a, L"bc") == NULL);
	IS(wmemchr, wmemchr(a, L'c', 5) == a + 4 && wmemchr(a, L'c', 4) == NULL);
	IS(wcslen, wcslen(a) == 5);
	end = wcstok(a, L"-", &state);
	IS(wcstok, wcscmp(end, L"a") == 0 && wcscmp(wcstok(NULL, L"-", &state), L"b") == 0);
	IS(wmemset, wmemset(b, L'z', 3) == b && b[2] == L'z' && b[3] != L'z');
	struct tm tm = {.tm_year = 126, .tm_mon = 10, .tm_mday = 21, .tm_wday = 6, .tm_yday = 324};
	IS(wcsftime, wcsftime(a, 64, L"%Y-%m-%d %A", &tm) == 19 && wcscmp(a, L"2026-11-21 Saturday") == 0);
}

static void multibyte(void) {
	mbstate_t state;
	wchar_t wide[16];
	char bytes[16];
	const char *from;
	const wchar_t *wfrom;
	IS(btowc, btowc(N('a')) == L'a' && btowc(N(EOF)) == (wint_t)WEOF);
	IS(wctob, wctob(L'a') == 'a' && wctob(WEOF) == EOF);

	/* Not C99, but the name of it that there is everywhere. */
	setlocale(LC_CTYPE, "C.UTF-8");
	memset(&state, 0, sizeof state);
	IS(mbrtowc, mbrtowc(wide, "\xe2\x82\xac", 3, &state) == 3 && wide[0] == 0x20ac && mbrtowc(wide, "\xe2", 1, &state) == (size_t)-2);
	IS(mbsinit, !mbsinit(&state) && mbsinit(NULL));
	IS(mbrlen, mbrlen("\x82\xac", 2, &state) == 2 && mbsinit(&state) && mbrlen("\xff", 1, &state) == (size_t)-1 && errno == EILSEQ);
	memset(&state, 0, sizeof state);
	IS(wcrtomb, wcrtomb(bytes, 0x20ac, &state) == 3 && memcmp(bytes, "\xe2\x82\xac", 3) == 0);
	from = "a\xc3\xa9z";
	IS(mbsrtowcs, mbsrtowcs(wide, &from, 16, &state) == 3 && wide[1] == 0xe9 && from == NULL);
	wfrom = wide;
	IS(wcsrtombs, wcsrtombs(bytes, &wfrom, 16, &state) == 4 && strcmp(bytes, "a\xc3\xa9z") == 0 && wfrom == NULL);
	header("stdlib.h");
	IS(mblen, mblen("\xc3\xa9", 2) == 2 && mblen("", 1) == 0 && mblen(NULL, 0) == 0);
	IS(mbtowc, mbtowc(wide, "\xc3\xa9", 2) == 2 && wide[0] == 0xe9);
	IS(wctomb, wctomb(bytes, 0xe9) == 2 && memcmp(bytes, "\xc3\xa9", 2) == 0);
	IS(mbstowcs, mbstowcs(wide, "\xc3\xa9!", 16) == 2 && wide[0] == 0xe9 && wide[1] == L'!' && mbstowcs(wide, "\xff", 16) == (size_t)-1);
	IS(wcstombs, wcstombs(bytes, L"\x20ac", 16) == 3 && memcmp(bytes, "\xe2\x82\xac", 4) == 0);
	IS(MB_CUR_MAX, MB_CUR_MAX >= 4);
	setlocale(LC_CTYPE, "C");

	header("locale.h");
	IS(setlocale, strcmp(setlocale(LC_ALL, NULL), "C") == 0 && strcmp(setlocale(LC_NUMERIC, "C"), "C") == 0);
	const struct lconv *conv = localeconv();
	IS(localeconv, strcmp(conv->decimal_point, ".") == 0 && strcmp(conv->thousands_sep, "") == 0 && conv->frac_digits == 127);
}

void text(void) {
	characters();
	strings();
}

void wide(void) {
	wide_strings();
	multibyte();
}
