/* stdio.h, and the streams of wchar.h. The files are in /tmp, as tmpnam has it. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "check.h"

#ifdef __GLIBC__
char *gets(char *); /* it has it, but no longer declares it */
#endif

static char name[L_tmpnam], other[L_tmpnam];

static FILE *file(const char *content) {
	FILE *f = fopen(name, "w");
	fputs(content, f);
	fclose(f);
	return fopen(name, "r");
}

static int holds(const char *want) {
	char got[200] = {0};
	FILE *f = fopen(name, "r");
	size_t n = fread(got, 1, sizeof got - 1, f);
	fclose(f);
	return n == strlen(want) && strcmp(got, want) == 0;
}

static int to_stdout(const char *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vprintf(format, args);
	va_end(args);
	return n;
}

static int to(FILE *f, const char *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vfprintf(f, format, args);
	va_end(args);
	return n;
}

static int to_string(char *s, const char *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vsprintf(s, format, args);
	va_end(args);
	return n;
}

static int to_bounded(char *s, size_t size, const char *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vsnprintf(s, size, format, args);
	va_end(args);
	return n;
}

static int from_stdin(const char *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vscanf(format, args);
	va_end(args);
	return n;
}

static int from(FILE *f, const char *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vfscanf(f, format, args);
	va_end(args);
	return n;
}

static int from_string(const char *s, const char *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vsscanf(s, format, args);
	va_end(args);
	return n;
}

static void files(void) {
	FILE *f, *g;
	IS(tmpnam, tmpnam(name) == name && tmpnam(other) == other && strcmp(name, other) != 0 && fopen(name, "r") == NULL && tmpnam(NULL) != NULL);
	f = fopen(name, "w");
	IS(fopen, f != NULL && fopen("/nowhere/at/all", "r") == NULL && errno == ENOENT);
	IS(fclose, fputs("content", f) >= 0 && fclose(f) == 0 && holds("content"));
	f = freopen(name, "r+", fopen(name, "r"));
	IS(freopen, f != NULL && fputc('C', f) == 'C' && fclose(f) == 0 && holds("Content"));
	f = fopen(name, "a+");
	fputs("!", f);
	IS(fflush, fflush(f) == 0 && holds("Content!") && fflush(NULL) == 0);
	fclose(f);
	IS(rename, rename(name, other) == 0 && fopen(name, "r") == NULL && rename(name, other) != 0);
	IS(remove, remove(other) == 0 && remove(other) != 0);
	f = tmpfile();
	g = tmpfile();
	IS(tmpfile, f != NULL && g != NULL && fputs("kept", f) >= 0 && fputs("else", g) >= 0 && fseek(f, 0, SEEK_SET) == 0 && getc(f) == 'k');
	fclose(f);
	fclose(g);
}

static void buffers(void) {
	static char buffer[BUFSIZ];
	FILE *f = fopen(name, "w");
	setbuf(f, NULL);
	fputs("at once", f);
	IS(setbuf, holds("at once"));
	fclose(f);
	f = fopen(name, "w");
	IS(setvbuf, setvbuf(f, buffer, _IOFBF, sizeof buffer) == 0 && fputs("later", f) >= 0 && holds(""));
	fclose(f);
}

static void formatted_output(void) {
	char said[400];
	int n, hh = 0;
	long long ll;
	FILE *f;
	IS(printf, printf("%s and %d\n", "printed", 42) == 15);
	IS(vprintf, to_stdout("%c%c\n", 'v', 'p') == 3);
	f = fopen(name, "w");
	IS(fprintf, fprintf(f, "%5d|%-5d|%05d|%+d|% d\n", 42, 42, 42, 42, 42) == 26);
	IS(vfprintf, to(f, "%s", "end") == 3 && fclose(f) == 0 && holds("   42|42   |00042|+42| 42\nend"));
	IS(sprintf, sprintf(said, "%x %X %#x %o %#o %u", 255, 255, 255, 8, 8, 4294967295U) == 28 && strcmp(said, "ff FF 0xff 10 010 4294967295") == 0);
	IS(vsprintf, to_string(said, "%.3s|%10.2s|%%", "abcdef", "xyz") == 16 && strcmp(said, "abc|        xy|%") == 0);
	IS(snprintf, snprintf(said, (size_t)N(4), "%d", 123456) == 6 && strcmp(said, "123") == 0 && snprintf(NULL, 0, "%s", "four") == 4);
	IS(vsnprintf, to_bounded(said, 3, "%ld", 77777L) == 5 && strcmp(said, "77") == 0);
	sprintf(said, "%hhd %hd %ld %lld %jd %zu %td %p", (signed char)-1, (short)-2, -3L, -4LL, (__INTMAX_TYPE__)-5, (size_t)6, (__PTRDIFF_TYPE__)-7, (void *)NULL);
	IS(printf integers, strncmp(said, "-1 -2 -3 -4 -5 6 -7 ", 20) == 0);
	sprintf(said, "%f %.0f %e %G %g %a %A %.3Lf %Lg %F", 1.5, 2.5, 12345.678, 1e-10, 0.0001, 1.0, 0.5, 1.0L / 3, 1e100L, -1.0 / D(0.0));
	IS(printf floats, strcmp(said, "1.500000 2 1.234568e+04 1E-10 0.0001 0x1p+0 0X1P-1 0.333 1e+100 -INF") == 0);
	sprintf(said, "%*d|%-*d|%.*f|%lc|%ls%n", 4, 1, 4, 2, 1, 3.25, (wint_t)'w', L"ide", &n);
	IS(printf others, strcmp(said, "   1|2   |3.2|w|ide") == 0 && n == 19);
	IS(sscanf, sscanf("12 -0x1f 077 xyz [abc] 1.5e3 q%", "%d %i %o %3s [%[a-c]] %*f %c%%", &n, &hh, (unsigned *)&n, said, said + 8, said + 16) == 6 &&
		n == 63 && hh == -31 && strcmp(said, "xyz") == 0 && strcmp(said + 8, "abc") == 0 && said[16] == 'q');
	IS(vsscanf, from_string("9000000000,rest", "%lld,%n", &ll, &n) == 1 && ll == 9000000000LL && n == 11);
	long double ld = 0;
	double d = 0;
	IS(scanf floats, sscanf("0.1 0x1p4 inf", "%Lf %lf", &ld, &d) == 2 && ld == strtold("0.1", NULL) && d == 16);
	float real = 0;
	f = file("1 two 3.5\n4 5");
	IS(fscanf, fscanf(f, "%d %s %f", &n, said, &real) == 3 && n == 1 && strcmp(said, "two") == 0 && real == 3.5f);
	IS(vfscanf, from(f, "%d %d", &n, &hh) == 2 && n == 4 && hh == 5 && from(f, "%d", &n) == EOF);
	fclose(f);
}

static void characters(void) {
	char line[20];
	FILE *f = fopen(name, "w+");
	IS(fputc, fputc('a', f) == 'a');
	IS(putc, putc('\xff', f) == 255);
	IS(fputs, fputs("line\nrest", f) >= 0);
	rewind(f);
	IS(rewind, ftell(f) == 0);
	IS(fgetc, fgetc(f) == 'a');
	IS(getc, getc(f) == 255);
	IS(ungetc, ungetc('<', f) == '<' && ungetc(EOF, f) == EOF && getc(f) == '<');
	IS(fgets, fgets(line, 4, f) == line && strcmp(line, "lin") == 0 && fgets(line, 20, f) == line && strcmp(line, "e\n") == 0);
	IS(fgets at the end, fgets(line, 20, f) == line && strcmp(line, "rest") == 0 && fgets(line, 20, f) == NULL);
	IS(feof, feof(f) && !ferror(f));
	clearerr(f);
	IS(clearerr, !feof(f));
	fclose(f);
	f = fopen(name, "r");
	IS(ferror, fputc('x', f) == EOF && ferror(f));
	fclose(f);
	IS(putchar, putchar('*') == '*');
	IS(puts, puts(" put") >= 0);
}

static void positions(void) {
	int numbers[] = {1, 2, 3}, back[3] = {0};
	fpos_t pos;
	FILE *f = fopen(name, "wb+");
	IS(fwrite, fwrite(numbers, sizeof *numbers, 3, f) == 3);
	IS(fseek, fseek(f, (long)sizeof *numbers, SEEK_SET) == 0 && fseek(f, -1000, SEEK_CUR) != 0);
	IS(ftell, ftell(f) == (long)sizeof *numbers);
	IS(fgetpos, fgetpos(f, &pos) == 0);
	IS(fread, fread(back, sizeof *back, 3, f) == 2 && back[0] == 2 && back[1] == 3 && feof(f));
	IS(fsetpos, fsetpos(f, &pos) == 0 && ftell(f) == (long)sizeof *numbers && fread(back, sizeof *back, 1, f) == 1 && back[0] == 2);
	IS(SEEK_END, fseek(f, 0, SEEK_END) == 0 && ftell(f) == 3L * (long)sizeof *numbers);
	fclose(f);
}

static void standard(void) {
	char word[30];
	int n;
	fclose(file("5 words\nwith\nlines and 6"));
	IS(stdin, freopen(name, "r", stdin) == stdin);
	IS(scanf, scanf("%d", &n) == 1 && n == 5);
	IS(getchar, getchar() == ' ' && getchar() == 'w');
	IS(vscanf, from_stdin("%s", word) == 1 && strcmp(word, "ords") == 0);
	getchar();
	IS(gets, gets(word) == word && strcmp(word, "with") == 0 && gets(word) == word && strcmp(word, "lines and 6") == 0 && gets(word) == NULL);
	fflush(stderr);
	IS(stderr, freopen(other, "w", stderr) == stderr);
	errno = ENOENT;
	perror("said");
	fflush(stderr);
	char want[100];
	snprintf(want, sizeof want, "said: %s\n", strerror(ENOENT));
	rename(other, name);
	IS(perror, holds(want));
	IS(FOPEN_MAX, FOPEN_MAX >= 8 && FILENAME_MAX >= 16 && BUFSIZ >= 256 && TMP_MAX >= 25 && L_tmpnam > 1 && EOF < 0);
	remove(name);
}

static int wide_to(FILE *f, const wchar_t *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vfwprintf(f, format, args);
	va_end(args);
	return n;
}

static int wide_from(FILE *f, const wchar_t *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vfwscanf(f, format, args);
	va_end(args);
	return n;
}

static void wide_files(void) {
	wchar_t line[20];
	int n;
	header("wchar.h");
	FILE *f = fopen(name, "w+");
	IS(fwide, fwide(f, 0) == 0 && fwide(f, 1) > 0 && fwide(f, -1) > 0);
	IS(fputwc, fputwc(L'a', f) == L'a');
	IS(putwc, putwc(L'b', f) == L'b');
	IS(fputws, fputws(L"c\nline two\n", f) >= 0);
	IS(fwprintf, fwprintf(f, L"%d %ls\n", 12, L"wide") == 8);
	IS(vfwprintf, wide_to(f, L"%x", 255) == 2);
	rewind(f);
	IS(fgetwc, fgetwc(f) == L'a');
	IS(getwc, getwc(f) == L'b');
	IS(ungetwc, ungetwc(L'B', f) == L'B' && getwc(f) == L'B');
	IS(fgetws, fgetws(line, 20, f) == line && wcscmp(line, L"c\n") == 0 && fgetws(line, 20, f) == line && wcscmp(line, L"line two\n") == 0);
	IS(fwscanf, fwscanf(f, L"%d %ls", &n, line) == 2 && n == 12 && wcscmp(line, L"wide") == 0);
	IS(vfwscanf, wide_from(f, L"%x", &n) == 1 && n == 255 && fgetwc(f) == (wint_t)WEOF);
	fclose(f);
}

void streams(void) {
	header("stdio.h");
	files();
	buffers();
	formatted_output();
	characters();
	positions();
	wide_files();
	header("stdio.h");
	standard();
}

static int wide_to_stdout(const wchar_t *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vwprintf(format, args);
	va_end(args);
	return n;
}

static int wide_from_stdin(const wchar_t *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vwscanf(format, args);
	va_end(args);
	return n;
}

void wide_streams(void) {
	wchar_t word[30];
	int n;
	tmpnam(name);
	fclose(file("5 words 0.5"));
	freopen(name, "r", stdin);
	header("wchar.h");
	IS(wprintf, wprintf(L"%ls and %d\n", L"printed", 42) == 15);
	IS(vwprintf, wide_to_stdout(L"%lc%lc\n", L'v', L'w') == 3);
	IS(putwchar, putwchar(L'*') == L'*' && putwchar(L'\n') == L'\n');
	IS(wscanf, wscanf(L"%d", &n) == 1 && n == 5);
	IS(getwchar, getwchar() == L' ' && getwchar() == L'w');
	IS(vwscanf, wide_from_stdin(L"%ls", word) == 1 && wcscmp(word, L"ords") == 0);
	IS(fwide, fwide(stdout, 0) > 0);
	remove(name);
}
