/* Calls every function of every header of C99, and looks at what it does. It
 * prints a line for each, and a compiler and a library that are right print the
 * same lines anywhere. It ends with 0 if all of them were.
 *
 *	c99          everything but
 *	c99 wide     wide characters on standard output
 *	c99 abort    what ends a program: by abort,
 *	c99 assert   by an assertion,
 *	c99 exit     with 3 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "check.h"

static const char *section;
static int checks, failures;

void header(const char *name) { section = name; }

void check(const char *function, const char *file, int line, int ok) {
	checks++;
	if (!ok) failures++;
	if (fwide(stdout, 0) > 0) {
		wprintf(L"%s %s%s\n", section, function, ok ? "" : " FAILED");
	} else {
		printf("%s %s%s\n", section, function, ok ? "" : " FAILED");
	}
	if (!ok) fprintf(stderr, "%s:%d: %s %s\n", file, line, section, function);
}

static void last(void) {
	header("stdlib.h");
	IS(atexit, 1);
	IS(exit, 1);
	IS(_Exit, 1);
	printf("%d checks, %d failed\n", checks, failures);
	fflush(stdout);
	_Exit(failures != 0);
}

int main(int argc, char **argv) {
	if (argc > 1 && strcmp(argv[1], "abort") == 0) abort();
	if (argc > 1 && strcmp(argv[1], "assert") == 0) assert(argc == 1);
	if (argc > 1 && strcmp(argv[1], "exit") == 0) exit(3);
	if (argc > 1) {
		wide_streams();
		return failures != 0;
	}
	numbers();
	generic();
	text();
	wide();
	streams();
	program();
	language();
	if (atexit(last) != 0) return 1;
	exit(2);
}
